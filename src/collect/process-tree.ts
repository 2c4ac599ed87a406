/**
 * A root process and what belongs to it, sampled as one.
 *
 * A member is remembered by its identity once it was seen, so that a grandchild which init adopted
 * stays counted while it lives. CPU of members that ended stays in the sum, which is therefore
 * monotone; CPU of processes that lived and died between two scans is not in it.
 * The slow figures come from passes over the members and are carried in between. PSS is RSS times
 * the share PSS had of RSS when it was read, known once at least half of the RSS was covered.
 */
import { DEAD, UNREADABLE } from './process-columns.ts';
import { CPU_MS, OPEN_FDS, PROCESSES, PSS, RSS, SWAP, THREADS } from './process-series.ts';
import type { Unknown } from './reading.ts';
import type { SeriesBlock } from './series-table.ts';
import type { ProcessOwner, ProcessSource, PssTurn, TrackedProcess } from './world.ts';

const PSS_COVERAGE = 0.5;
const NOT_YET = 'not read yet';

export interface ProcessTree {
  readonly root: TrackedProcess;
  readonly members: readonly TrackedProcess[];
  /** sums in the order of PROCESS_SERIES; NaN when a member cannot be read */
  readonly figures: SeriesBlock;
  /** the most that was sampled, and the kernel's own peak of the root */
  readonly peakRssBytes: number;
  has(pid: number): boolean;
  /** Takes in those of `pids` that are not members yet. */
  join(pids: readonly number[]): void;
  /** Adds up what was sampled of the members; false when the root has ended. */
  sum(): boolean;
  /** when the last pass over the slow figures was complete; NaN before the first */
  readonly inspectedMs: number;
  /** Goes on with a pass, by one process; true when the pass is complete. */
  inspect(turn: PssTurn): boolean;
  unknown(): Unknown[];
  close(): void;
}

export interface ProcessTreeOptions {
  readonly root: TrackedProcess;
  readonly processes: ProcessSource;
  readonly owner: ProcessOwner;
  /** where its figures go */
  readonly figures: SeriesBlock;
}

export function createProcessTree({
  root,
  processes,
  owner,
  figures,
}: ProcessTreeOptions): ProcessTree {
  let members = [root];
  let slots = [root.slot];
  const pids = new Set([root.pid]);
  let endedCpuMs = 0;
  let cursor = 0;
  let inspectedMs = Number.NaN;
  /** why a member could not be taken in, or read, the last time that was tried */
  let notJoined: string | null = null;
  let notRead: string | null = null;
  const slowProblems = new Map<string, string>();
  /** PSS / RSS */
  let pssShare = Number.NaN;
  let peakRssBytes = Number.NaN;
  figures.clear();

  /** false when the root is among those that ended */
  const dropEnded = (): boolean => {
    const { outcome, cpuMs } = processes.columns;
    if (outcome[root.slot] === DEAD) return false;
    for (const process of members) {
      if (outcome[process.slot] !== DEAD) continue;
      endedCpuMs += cpuMs[process.slot]!;
      pids.delete(process.pid);
      processes.release(process);
    }
    members = members.filter(({ pid }) => pids.has(pid));
    slots = members.map(({ slot }) => slot);
    return true;
  };

  const finishPass = (): void => {
    const seen = members.filter((process) => process.detail !== null);
    slowProblems.clear();
    for (const { detail } of seen) {
      for (const { metric, reason } of detail?.problems ?? []) slowProblems.set(metric, reason);
    }
    const pssProblem = members.find((process) => process.pssProblem !== null)?.pssProblem;
    if (pssProblem) slowProblems.set('process.pss_bytes', pssProblem);
    const total = (figure: 'swapBytes' | 'openFds'): number =>
      seen.length === 0
        ? Number.NaN
        : seen.reduce((sum, { detail }) => sum + (detail?.[figure] ?? Number.NaN), 0);
    figures.set(SWAP, total('swapBytes'));
    figures.set(OPEN_FDS, total('openFds'));
    pssShare = pssShareOf(members, processes.columns.rssBytes);
    const rootPeak = root.detail?.peakRssBytes ?? Number.NaN;
    peakRssBytes = Math.max(rootPeak, peakRssBytes || rootPeak);
  };

  const sum = (): boolean => {
    notRead = null;
    const { outcome, rssBytes: rss, cpuMs: cpu, threads: tasks } = processes.columns;
    let rssBytes = 0;
    let cpuMs = endedCpuMs;
    let threads = 0;
    let ended = 0;
    for (const slot of slots) {
      if (outcome[slot] === DEAD) ended++;
      if (outcome[slot] === UNREADABLE) notRead = processes.problem;
      cpuMs += cpu[slot]!;
      if (outcome[slot] === DEAD) continue;
      rssBytes += rss[slot]!;
      threads += tasks[slot]!;
    }
    if (ended > 0 && !dropEnded()) return false;
    if (notJoined !== null || notRead !== null) {
      rssBytes = Number.NaN;
      cpuMs = Number.NaN;
      threads = Number.NaN;
    }
    figures.set(RSS, rssBytes);
    figures.set(PSS, Math.round(rssBytes * pssShare));
    figures.set(CPU_MS, Math.round(cpuMs));
    figures.set(THREADS, threads);
    figures.set(PROCESSES, slots.length);
    if (rssBytes > peakRssBytes) peakRssBytes = rssBytes;
    return true;
  };

  return {
    root,
    figures,
    get inspectedMs() {
      return inspectedMs;
    },
    get peakRssBytes() {
      return peakRssBytes;
    },
    get members() {
      return members;
    },
    has: (pid) => pids.has(pid),
    join(candidates) {
      notJoined = null;
      for (const pid of candidates) {
        if (pids.has(pid)) continue;
        const process = processes.track(pid, owner);
        if ('gone' in process) {
          if (!process.gone) notJoined = process.reason;
          continue;
        }
        members.push(process);
        slots.push(process.slot);
        pids.add(pid);
      }
      sum();
    },
    sum,
    inspect(turn) {
      const process = members[cursor++];
      if (process) processes.inspect(process, turn);
      if (cursor < members.length) return false;
      cursor = 0;
      finishPass();
      sum();
      inspectedMs = turn.timeMs;
      return true;
    },
    unknown() {
      const sampleReason = notJoined ?? notRead ?? processes.problem;
      const slowReason = (metric: string): string => slowProblems.get(metric) ?? NOT_YET;
      const candidates: [metric: string, value: number, reason: string][] = [
        ['process.rss_bytes', figures.get(RSS), sampleReason],
        ['process.cpu_seconds', figures.get(CPU_MS), sampleReason],
        ['process.threads', figures.get(THREADS), sampleReason],
        ['process.swap_bytes', figures.get(SWAP), slowReason('process.swap_bytes')],
        ['process.open_fds', figures.get(OPEN_FDS), slowReason('process.open_fds')],
        ['process.pss_bytes', pssShare, slowReason('process.pss_bytes')],
        ['process.peak_rss_bytes', peakRssBytes, slowReason('process.peak_rss_bytes')],
      ];
      return candidates
        .filter(([, value]) => Number.isNaN(value))
        .map(([metric, , reason]) => ({ metric, reason }));
    },
    close() {
      for (const process of members) processes.release(process);
    },
  };
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
