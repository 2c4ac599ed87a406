/**
 * The figures of a process that cost too much for every tick: swap and peak RSS from status, open
 * descriptors, and PSS from smaps_rollup.
 *
 * Cost: status 12 µs, descriptors 5 µs on Linux 6.2 and later (the size of /proc/PID/fd is their
 * count) and a readdir before. smaps_rollup walks the page tables while it holds the target's mmap
 * lock: 13 ms for 1 GB resident, so it is read only when it should fit the caller's budget. One
 * that was never read may take up to 50 ms, once, since the ratio PSS/RSS then serves for long.
 * Swap, peak and PSS move with RSS: they are read a tenth as often while RSS stands still.
 */
import fs from 'node:fs';
import type { Unknown } from '../reading.ts';
import type { ProcessDetail, PssTurn, Taken, TrackedProcess } from '../world.ts';
import { keysOf, readKeyed } from './bytes.ts';
import { describeProblem, errorCode, type ProcFiles } from './files.ts';

const KIB = 1_024;
const STATUS_KEYS = keysOf('VmSwap:', 'VmHWM:');
const SMAPS_KEYS = keysOf('Pss:', 'Rss:');
const FIRST_PSS_MS = 50;
const STILL_INTERVALS = 10;
/** 13 ms a GB, before the first reading says better */
const PSS_MS_PER_BYTE = 13 / 2 ** 30;
const values = 2;

export interface Subject {
  readonly files: ProcFiles;
  /** /proc/PID */
  readonly directory: string;
  readonly process: TrackedProcess;
  /** as sampled */
  readonly rssBytes: number;
}

/** Taken while RSS was what it is now, and not that long ago. */
function isStill(taken: Taken, rssBytes: number, { timeMs, intervalMs }: PssTurn): boolean {
  const ageMs = timeMs - taken.takenMs;
  return taken.sampledBytes === rssBytes && ageMs >= 0 && ageMs < intervalMs * STILL_INTERVALS;
}

/** null when the process vanished meanwhile. */
export function readDetail(subject: Subject, turn: PssTurn): ProcessDetail | null {
  const { files, directory, process, rssBytes } = subject;
  const fds = countFds(`${directory}/fd`);
  if (isGone(fds.problem)) return null;
  const { detail } = process;
  if (detail?.problems.length === 0 && fds.problem === null && isStill(detail, rssBytes, turn)) {
    return detail.openFds === fds.count ? detail : { ...detail, openFds: fds.count };
  }
  const status = files.file(`${directory}/status`);
  const end = files.readOnce(status);
  if (isGone(status.problem)) return null;
  const found = new Float64Array(values);
  readKeyed({ bytes: files.bytes, end }, STATUS_KEYS, found);
  const [swapKib = Number.NaN, peakKib = Number.NaN] = found;
  const problems: Unknown[] = [];
  const note = (metric: string, problem: string): number =>
    problems.push({ metric, reason: problem });
  const statusReason = status.problem ? describeProblem(status.problem) : 'status does not say';
  if (Number.isNaN(swapKib)) note('process.swap_bytes', statusReason);
  if (Number.isNaN(peakKib)) note('process.peak_rss_bytes', statusReason);
  if (fds.problem) note('process.open_fds', describeProblem(fds.problem));
  return {
    swapBytes: swapKib * KIB,
    peakRssBytes: peakKib * KIB,
    openFds: fds.count,
    problems,
    sampledBytes: rssBytes,
    takenMs: turn.timeMs,
  };
}

/** Reads PSS when it is due and should fit, and says in the process itself what came of it. */
export function readPss({ files, directory, process, rssBytes }: Subject, turn: PssTurn): void {
  const last = process.pss;
  const ageMs = last ? turn.timeMs - last.takenMs : Infinity;
  if (ageMs >= 0 && ageMs < turn.intervalMs) return;
  if (last && isStill(last, rssBytes, turn)) return;
  const expectedMs = last
    ? (last.costMs / Math.max(last.rssBytes, 1)) * rssBytes
    : PSS_MS_PER_BYTE * rssBytes;
  if (expectedMs > (last ? turn.budgetMs : Math.max(turn.budgetMs, FIRST_PSS_MS))) {
    process.pssProblem = `reading it would stall the process for about ${Math.round(expectedMs)} ms`;
    return;
  }
  const file = files.file(`${directory}/smaps_rollup`);
  const beganMs = performance.now();
  const end = files.readOnce(file);
  const costMs = performance.now() - beganMs;
  const found = new Float64Array(values);
  readKeyed({ bytes: files.bytes, end }, SMAPS_KEYS, found);
  const [pssKib = Number.NaN, rssKib = Number.NaN] = found;
  process.pssProblem = null;
  if (Number.isNaN(pssKib + rssKib)) {
    process.pssProblem = file.problem ? describeProblem(file.problem) : 'smaps_rollup does not say';
    return;
  }
  process.pss = {
    pssBytes: pssKib * KIB,
    rssBytes: rssKib * KIB,
    sampledBytes: rssBytes,
    takenMs: turn.timeMs,
    costMs,
  };
}

export function isGone(problem: string | null): boolean {
  return problem === 'ESRCH' || problem === 'ENOENT';
}

function countFds(directory: string): { count: number; problem: string | null } {
  try {
    const { size } = fs.statSync(directory);
    // before 6.2 the size of the directory is 0
    return { count: size > 0 ? size : fs.readdirSync(directory).length, problem: null };
  } catch (error) {
    return { count: Number.NaN, problem: errorCode(error) };
  }
}
