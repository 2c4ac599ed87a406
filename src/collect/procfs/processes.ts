/**
 * Processes through /proc.
 *
 * Method: each tick one pread of statm for RSS, which is half the price of stat, and exact on kernels
 * where stat is not; stat, for CPU and threads, of a few dozen processes in turn, so that each has it
 * at least every tenth tick. A process that shows no resident page is looked up in stat at once,
 * because a zombie looks like that. Past the bound of held descriptors only stat is read, since a file
 * opened anew must show whose it is.
 * Cost: 4 µs a process and tick, with 1,000 of them.
 */
import os from 'node:os';
import { ALIVE, createProcessSlots, DEAD, FREE, UNREADABLE } from '../process-columns.ts';
import type { ProcessOwner, ProcessSource, TrackedProcess } from '../world.ts';
import { machineUnits } from './auxv.ts';
import { describeProblem, type ProcFile, type ProcFiles, readText } from './files.ts';
import { commandLine, createProcessTable } from './process-table.ts';
import { isGone, readDetail, readPss } from './slow-figures.ts';
import { createStat, isDead, parseStat, residentPages } from './stat.ts';

/** Up to this many are read at every tick; of more, each in its turn. */
const STATS_PER_TICK = 20;
const MOST_TURNS = 10;

export function createProcesses(files: ProcFiles, procRoot: string): ProcessSource {
  const { pageBytes, ticksPerSecond } = machineUnits();
  const msPerTick = 1_000 / ticksPerSecond;
  const stat = createStat();
  const slots = createProcessSlots();
  const statBySlot: ProcFile[] = [];
  const statmBySlot: ProcFile[] = [];
  /** the descriptors of those files, so that a tick need not touch them; -1 when not held */
  const statFdBySlot: number[] = [];
  const statmFdBySlot: number[] = [];
  const ownerBySlot: ProcessOwner[] = [];
  const changed = new Set<ProcessOwner>();
  let turn = 0;
  let problem = 'not read yet';

  /** What is wrong with the stat line that was just read; null when nothing is. */
  const parse = (end: number): string | null => {
    if (!parseStat(files.bytes, end, stat)) return 'not a stat line';
    return isDead(stat) ? 'ESRCH' : null;
  };

  const readStat = (file: ProcFile): string | null => {
    const end = files.read(file);
    return end < 0 ? file.problem : parse(end);
  };

  const readSlot = (slot: number): string | null => {
    const fd = statFdBySlot[slot]!;
    const end = fd < 0 ? -1 : files.readHeld(fd);
    if (end >= 0) return parse(end);
    const file = statBySlot[slot]!;
    const failure = readStat(file);
    statFdBySlot[slot] = file.fd;
    return failure;
  };

  /**
   * Reads stat into the columns, with the RSS of statm unless that is 0; true when anything has
   * changed, or is not as it should be.
   */
  const sampleStat = (slot: number, statmBytes: number): boolean => {
    const { columns } = slots;
    const failure = readSlot(slot);
    // a file that is not held open finds whoever has the pid now
    if (failure === null && stat.startTicks === columns.startKey[slot]) {
      return apply(slot, statmBytes || stat.rssPages * pageBytes);
    }
    columns.outcome[slot] = failure === null || isGone(failure) ? DEAD : UNREADABLE;
    if (failure !== null) problem = describeProblem(failure);
    return true;
  };

  const apply = (slot: number, rss: number): boolean => {
    const { outcome, rssBytes, cpuMs, threads } = slots.columns;
    const cpu = stat.cpuTicks * msPerTick;
    const isSame =
      outcome[slot] === ALIVE &&
      rssBytes[slot] === rss &&
      cpuMs[slot] === cpu &&
      threads[slot] === stat.threads;
    outcome[slot] = ALIVE;
    rssBytes[slot] = rss;
    cpuMs[slot] = cpu;
    threads[slot] = stat.threads;
    return !isSame;
  };

  /** Bytes from statm; 0 when stat must be asked. */
  const readRss = (slot: number): number => {
    const fd = statmFdBySlot[slot]!;
    const end = fd < 0 ? -1 : files.readHeld(fd);
    const pages = end < 0 ? 0 : residentPages(files.bytes, end);
    return pages > 0 ? pages * pageBytes : 0;
  };

  /** True when anything has changed. */
  const sampleSlot = (slot: number, isTurn: boolean): boolean => {
    const { outcome, rssBytes } = slots.columns;
    const rss = readRss(slot);
    if (isTurn || rss === 0 || outcome[slot] !== ALIVE) return sampleStat(slot, rss);
    if (rssBytes[slot] === rss) return false;
    rssBytes[slot] = rss;
    return true;
  };

  /** Takes a process whose stat was just read. */
  const hold = (pid: number, file: ProcFile, owner: ProcessOwner): number => {
    const statm = files.file(`${directoryOf(pid)}/statm`);
    const slot = slots.open(stat.startTicks);
    statBySlot[slot] = file;
    statFdBySlot[slot] = file.fd;
    statmBySlot[slot] = statm;
    ownerBySlot[slot] = owner;
    files.read(statm);
    statmFdBySlot[slot] = statm.fd;
    sampleStat(slot, readRss(slot));
    return slot;
  };

  const directoryOf = (pid: number): string => `${procRoot}/${pid}`;

  return {
    bootId: readText(`${procRoot}/sys/kernel/random/boot_id`).text?.trim() ?? 'unknown-boot',
    table: createProcessTable(files, procRoot),
    get columns() {
      return slots.columns;
    },
    get problem() {
      return problem;
    },
    track(pid, owner) {
      const file = files.file(`${directoryOf(pid)}/stat`);
      const failure = readStat(file);
      if (failure !== null) {
        files.release(file);
        return isGone(failure)
          ? { gone: true, reason: `there is no process ${pid}` }
          : { gone: false, reason: `process ${pid}: ${describeProblem(failure)}` };
      }
      const { startTicks: startKey } = stat;
      return newProcess({ pid, startKey, slot: hold(pid, file, owner) });
    },
    release({ slot }) {
      files.release(statBySlot[slot]!);
      files.release(statmBySlot[slot]!);
      slots.close(slot);
    },
    sample({ slot }) {
      sampleStat(slot, readRss(slot));
    },
    sampleAll() {
      const { outcome, end } = slots.columns;
      const turns = Math.min(MOST_TURNS, Math.ceil(end / STATS_PER_TICK));
      turn++;
      changed.clear();
      for (let slot = 0; slot < end; slot++) {
        if (outcome[slot] === FREE) continue;
        if (sampleSlot(slot, slot % turns === turn % turns)) changed.add(ownerBySlot[slot]!);
      }
      return changed;
    },
    inspect(process, turn) {
      const directory = directoryOf(process.pid);
      const rssBytes = slots.columns.rssBytes[process.slot]!;
      const subject = { files, directory, process, rssBytes };
      process.detail = readDetail(subject, turn);
      if (process.detail !== null) readPss(subject, turn);
    },
    commandOf: (pid) => commandLine(files, `${directoryOf(pid)}/cmdline`),
    startKeyOf(pid) {
      const file = files.file(`${directoryOf(pid)}/stat`);
      const failure = readStat(file);
      files.release(file);
      return failure === null ? stat.startTicks : Number.NaN;
    },
    startedMs: (startKey) => Math.round(Date.now() - os.uptime() * 1_000 + startKey * msPerTick),
  };
}

/** A process of which nothing is known but who it is. */
export function newProcess(who: Pick<TrackedProcess, 'pid' | 'startKey' | 'slot'>): TrackedProcess {
  return { ...who, detail: null, pss: null, pssProblem: null };
}
