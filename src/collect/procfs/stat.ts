/**
 * /proc/PID/stat. The command name stands in parentheses and may itself hold spaces and
 * parentheses, so the fields are counted from the last `)`, after which there are only numbers.
 *
 * When it errs: since Linux 6.2 the kernel sums its per-CPU counters of RSS only roughly here, off by up
 * to 32 pages (or twice the number of CPUs) a CPU. statm did so too, and is exact on newer kernels
 * (seen on 6.18), as status always was, which costs twice as much.
 * Source: proc_pid_stat(5), proc_pid_statm(5).
 */
import { readUint } from './bytes.ts';

const CLOSING = 41;
const SPACE = 32;
const ZOMBIE = 90;
const DEAD = 88;

export interface Stat {
  /** `R`, `S`, `Z`, … as a character code */
  state: number;
  ppid: number;
  /** utime + stime */
  cpuTicks: number;
  threads: number;
  /** since boot */
  startTicks: number;
  rssPages: number;
}

export const createStat = (): Stat => ({
  state: 0,
  ppid: Number.NaN,
  cpuTicks: Number.NaN,
  threads: Number.NaN,
  startTicks: Number.NaN,
  rssPages: Number.NaN,
});

/** Fills `into`; false when the text is no stat line. Cost: about 0.5 µs, no allocation. */
export function parseStat(bytes: Uint8Array, end: number, into: Stat): boolean {
  let at = end - 1;
  while (at >= 0 && bytes[at] !== CLOSING) at--;
  if (at < 0) return false;
  at += 2;
  into.state = bytes[at] ?? 0;
  let cpuTicks = 0;
  for (let field = 3; field < 24; ) {
    while (at < end && bytes[at] !== SPACE) at++;
    if (at >= end) return false;
    at++;
    field++;
    if (field === 4) into.ppid = readUint(bytes, at, end);
    else if (field === 14 || field === 15) cpuTicks += readUint(bytes, at, end);
    else if (field === 20) into.threads = readUint(bytes, at, end);
    else if (field === 22) into.startTicks = readUint(bytes, at, end);
    else if (field === 24) into.rssPages = readUint(bytes, at, end);
  }
  into.cpuTicks = cpuTicks;
  return !Number.isNaN(into.ppid + cpuTicks + into.threads + into.startTicks + into.rssPages);
}

/** The second number of a statm line; NaN when there is none, 0 for a zombie. */
export function residentPages(bytes: Uint8Array, end: number): number {
  let at = 0;
  while (at < end && bytes[at] !== SPACE) at++;
  return readUint(bytes, at, end);
}

/** A zombie still has a stat line and nothing else. */
export function isDead(stat: Stat): boolean {
  return stat.state === ZOMBIE || stat.state === DEAD;
}
