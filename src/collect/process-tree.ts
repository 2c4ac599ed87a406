/**
 * A root process and what belongs to it, sampled as one.
 *
 * A member is remembered by its identity once it was seen, so that a grandchild which init adopted
 * stays counted while it lives. CPU of members that ended stays in the sum, which is therefore
 * monotone; CPU of processes that lived and died between two scans is not in it.
 * The slow figures come from passes over the members and are carried in between. PSS is RSS times
 * the share PSS had of RSS when it was read, known once at least half of the RSS was covered; it
 * follows RSS by steps of 1 %, since it is no truer than that and a series that rests costs nothing.
 */
import { DEAD, UNREADABLE } from './process-columns.ts';
import { CPU_MS, OPEN_FDS, PROCESSES, PSS, RSS, SWAP, THREADS } from './process-series.ts';
import type { Unknown } from './reading.ts';
import type { SeriesBlock } from './series-table.ts';
import type { ProcessOwner, ProcessSource, PssTurn, TrackedProcess } from './world.ts';

const PSS_COVERAGE = 0.5;
const PSS_STEP = 0.01;
const NOT_YET = 'not read yet';
const NO_PROBLEMS: ReadonlyMap<string, string> = new Map();

export interface ProcessTreeOptions {
  readonly root: TrackedProcess;
  readonly processes: ProcessSource;
  readonly owner: ProcessOwner;
  /** where its figures go */
  readonly figures: SeriesBlock;
}

/** A class, because there may be thousands: their functions are shared. */
export class ProcessTree {
  readonly root: TrackedProcess;
  /** sums in the order of PROCESS_SERIES; NaN when a member cannot be read */
  readonly figures: SeriesBlock;
  readonly #processes: ProcessSource;
  readonly #owner: ProcessOwner;
  readonly #pids: Set<number>;
  #members: TrackedProcess[];
  #endedCpuMs = 0;
  #cursor = 0;
  #inspectedMs = Number.NaN;
  /** why a member could not be taken in, or read, the last time that was tried */
  #notJoined: string | null = null;
  #notRead: string | null = null;
  #slowProblems = NO_PROBLEMS;
  /** PSS / RSS */
  #pssShare = Number.NaN;
  #peakRssBytes = Number.NaN;

  constructor({ root, processes, owner, figures }: ProcessTreeOptions) {
    this.root = root;
    this.figures = figures;
    this.#processes = processes;
    this.#owner = owner;
    this.#members = [root];
    this.#pids = new Set([root.pid]);
    figures.clear();
  }

  get members(): readonly TrackedProcess[] {
    return this.#members;
  }

  /** the most that was sampled, and the kernel's own peak of the root */
  get peakRssBytes(): number {
    return this.#peakRssBytes;
  }

  /** when the last pass over the slow figures was complete; NaN before the first */
  get inspectedMs(): number {
    return this.#inspectedMs;
  }

  has(pid: number): boolean {
    return this.#pids.has(pid);
  }

  /** Takes in those of `pids` that are not members yet. */
  join(pids: readonly number[]): void {
    let isChanged = this.#notJoined !== null;
    this.#notJoined = null;
    for (const pid of pids) {
      if (this.has(pid)) continue;
      const process = this.#processes.track(pid, this.#owner);
      if ('gone' in process) {
        if (process.gone) continue;
        this.#notJoined = process.reason;
      } else {
        this.#members.push(process);
        this.#pids.add(pid);
      }
      isChanged = true;
    }
    if (isChanged) this.sum();
  }

  /** Adds up what was sampled of the members; false when the root has ended. */
  sum(): boolean {
    const { outcome, rssBytes: rss, cpuMs: cpu, threads: tasks } = this.#processes.columns;
    const { figures } = this;
    this.#notRead = null;
    let rssBytes = 0;
    let cpuMs = this.#endedCpuMs;
    let threads = 0;
    let ended = 0;
    for (const { slot } of this.#members) {
      if (outcome[slot] === UNREADABLE) this.#notRead = this.#processes.problem;
      cpuMs += cpu[slot]!;
      if (outcome[slot] === DEAD) {
        ended++;
        continue;
      }
      rssBytes += rss[slot]!;
      threads += tasks[slot]!;
    }
    if (ended > 0 && !this.#dropEnded()) return false;
    if (this.#notJoined !== null || this.#notRead !== null) {
      rssBytes = Number.NaN;
      cpuMs = Number.NaN;
      threads = Number.NaN;
    }
    figures.set(RSS, rssBytes);
    this.#scalePss(rssBytes);
    figures.set(CPU_MS, Math.round(cpuMs));
    figures.set(THREADS, threads);
    figures.set(PROCESSES, this.#members.length);
    if (rssBytes > this.#peakRssBytes) this.#peakRssBytes = rssBytes;
    return true;
  }

  /** Goes on with a pass over the slow figures, by one process; true when the pass is complete. */
  inspect(turn: PssTurn): boolean {
    const process = this.#members[this.#cursor++];
    if (process) this.#processes.inspect(process, turn);
    if (this.#cursor < this.#members.length) return false;
    this.#cursor = 0;
    this.#finishPass();
    this.sum();
    this.#inspectedMs = turn.timeMs;
    return true;
  }

  unknown(): Unknown[] {
    const { figures } = this;
    const sampleReason = this.#notJoined ?? this.#notRead ?? this.#processes.problem;
    const slowReason = (metric: string): string => this.#slowProblems.get(metric) ?? NOT_YET;
    const candidates: [metric: string, value: number, reason: string][] = [
      ['process.rss_bytes', figures.get(RSS), sampleReason],
      ['process.cpu_seconds', figures.get(CPU_MS), sampleReason],
      ['process.threads', figures.get(THREADS), sampleReason],
      ['process.swap_bytes', figures.get(SWAP), slowReason('process.swap_bytes')],
      ['process.open_fds', figures.get(OPEN_FDS), slowReason('process.open_fds')],
      ['process.pss_bytes', this.#pssShare, slowReason('process.pss_bytes')],
      ['process.peak_rss_bytes', this.#peakRssBytes, slowReason('process.peak_rss_bytes')],
    ];
    return candidates
      .filter(([, value]) => Number.isNaN(value))
      .map(([metric, , reason]) => ({ metric, reason }));
  }

  close(): void {
    for (const process of this.#members) this.#processes.release(process);
  }

  #scalePss(rssBytes: number): void {
    const pssBytes = Math.round(rssBytes * this.#pssShare);
    const isNear = Math.abs(pssBytes - this.figures.get(PSS)) < pssBytes * PSS_STEP;
    if (!isNear) this.figures.set(PSS, pssBytes);
  }

  /** false when the root is among those that ended */
  #dropEnded(): boolean {
    const { outcome, cpuMs } = this.#processes.columns;
    if (outcome[this.root.slot] === DEAD) return false;
    const isEnded = ({ slot }: TrackedProcess): boolean => outcome[slot] === DEAD;
    for (const process of this.#members.filter(isEnded)) {
      this.#endedCpuMs += cpuMs[process.slot]!;
      this.#pids.delete(process.pid);
      this.#processes.release(process);
    }
    this.#members = this.#members.filter(({ pid }) => this.#pids.has(pid));
    return true;
  }

  #finishPass(): void {
    const { figures, root } = this;
    const seen = this.#members.filter((process) => process.detail !== null);
    this.#slowProblems = problemsOf(this.#members);
    const total = (figure: 'swapBytes' | 'openFds'): number =>
      seen.length === 0
        ? Number.NaN
        : seen.reduce((sum, { detail }) => sum + (detail?.[figure] ?? Number.NaN), 0);
    figures.set(SWAP, total('swapBytes'));
    figures.set(OPEN_FDS, total('openFds'));
    // unknown, so that what was just read is taken as it is
    figures.set(PSS, Number.NaN);
    this.#pssShare = pssShareOf(this.#members, this.#processes.columns.rssBytes);
    const rootPeak = root.detail?.peakRssBytes ?? Number.NaN;
    this.#peakRssBytes = Math.max(rootPeak, this.#peakRssBytes || rootPeak);
  }
}

/** Why a slow figure of any of them is unknown, by metric. */
function problemsOf(members: readonly TrackedProcess[]): ReadonlyMap<string, string> {
  const problems = members.flatMap(({ detail, pssProblem }) => [
    ...(detail?.problems ?? []),
    ...(pssProblem === null ? [] : [{ metric: 'process.pss_bytes', reason: pssProblem }]),
  ]);
  if (problems.length === 0) return NO_PROBLEMS;
  return new Map(problems.map(({ metric, reason }) => [metric, reason]));
}

function pssShareOf(members: readonly TrackedProcess[], rssBySlot: Float64Array): number {
  let pssBytes = 0;
  let rssThenBytes = 0;
  let coveredBytes = 0;
  let rssBytes = 0;
  for (const { slot, pss } of members) {
    rssBytes += rssBySlot[slot]!;
    if (pss === null) continue;
    pssBytes += pss.pssBytes;
    rssThenBytes += pss.rssBytes;
    coveredBytes += rssBySlot[slot]!;
  }
  const isCovered = rssThenBytes > 0 && coveredBytes >= rssBytes * PSS_COVERAGE;
  return isCovered ? pssBytes / rssThenBytes : Number.NaN;
}
