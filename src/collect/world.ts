/**
 * The doors between the collector and the platform it runs on. Two worlds stand behind them:
 * procfs/ and portable/.
 */
import type { ProcessColumns } from './process-columns.ts';
import type { CgroupLevel, Unknown } from './reading.ts';

/** When a slow figure was read, and the RSS as sampled then: what moves with it need not be read again before. */
export interface Taken {
  readonly sampledBytes: number;
  readonly takenMs: number;
}

/** The slow figures of a process, swap and peak as of `takenMs`. NaN with a reason in `problems` when they cannot be read. */
export interface ProcessDetail extends Taken {
  readonly swapBytes: number;
  readonly peakRssBytes: number;
  readonly openFds: number;
  readonly problems: readonly Unknown[];
}

/** PSS is kept with the RSS of that moment, because only their ratio lasts. */
export interface PssSample extends Taken {
  readonly pssBytes: number;
  /** exact, from which RSS as sampled may differ a little */
  readonly rssBytes: number;
  readonly costMs: number;
}

export interface TrackedProcess {
  readonly pid: number;
  /** tells two processes of one pid apart: ticks since boot, or ms of the wall clock */
  readonly startKey: number;
  /** where its RSS, CPU and threads are in the columns */
  readonly slot: number;
  detail: ProcessDetail | null;
  pss: PssSample | null;
  /** why there is no PSS, or none newer */
  pssProblem: string | null;
}

/** One row of the process table, as of its last reading. */
export interface ProcessEntry {
  readonly pid: number;
  ppid: number;
  startKey: number;
  /** arguments joined by spaces; null while nobody asked for it */
  command: string | null;
  /** text of /proc/PID/cgroup; null while nobody asked for it */
  cgroup: string | null;
  /** number of the scan that last changed this row */
  changedAtScan: number;
  firstScan: number;
}

export interface ScanWants {
  readonly command: boolean;
  readonly cgroup: boolean;
}

export interface ProcessTable {
  readonly entries: ReadonlyMap<number, ProcessEntry>;
  /** finished scans */
  readonly scans: number;
  /** why the last scan could not begin, or null */
  readonly problem: string | null;
  /** false while a scan waits for its next slice */
  readonly idle: boolean;
  /** Starts or goes on with a scan until `deadlineMs` of performance.now(); true when it is finished. */
  step(wants: ScanWants, deadlineMs: number): boolean;
}

/** Why a process cannot be followed: it is gone, or it is there and cannot be read. */
export interface TrackFailure {
  readonly gone: boolean;
  readonly reason: string;
}

/** When PSS may be read: not before `intervalMs` have passed, and only if it should fit the budget. */
export interface PssTurn {
  readonly timeMs: number;
  readonly intervalMs: number;
  readonly budgetMs: number;
}

/** Whoever must be told that figures of its processes have changed. */
export interface ProcessOwner {
  /** Takes over what was just sampled of its processes. */
  settle(timeMs: number): void;
}

export interface ProcessSource {
  readonly bootId: string;
  readonly table: ProcessTable;
  /** Opens a process for sampling, with a first sample taken. */
  track(pid: number, owner: ProcessOwner): TrackedProcess | TrackFailure;
  release(process: TrackedProcess): void;
  /** RSS, CPU and threads of the tracked processes, by slot. */
  readonly columns: ProcessColumns;
  /** Refreshes the columns of one process, CPU and threads too. */
  sample(process: TrackedProcess): void;
  /** Refreshes all columns, CPU and threads at most 10 calls late, and returns whose have changed. */
  sampleAll(): ReadonlySet<ProcessOwner>;
  /** why a sample was unreadable, or why a figure is never known here */
  readonly problem: string;
  /** Refreshes the slow figures, PSS when it is its turn. */
  inspect(
    process: TrackedProcess,
    pss: { timeMs: number; intervalMs: number; budgetMs: number },
  ): void;
  /** The command line as it is now; '' when it has none or cannot be read. */
  commandOf(pid: number): string;
  /** Start key of whoever has the pid now, NaN when nobody lives there. */
  startKeyOf(pid: number): number;
  /** When a process with this start key began, on the wall clock as it is now. */
  startedMs(startKey: number): number;
}

/** Integers, the PSI shares in hundredths of a percent; NaN is unknown. */
export interface SystemFigures {
  totalBytes: number;
  availableBytes: number;
  swapUsedBytes: number;
  psiSomeX100: number;
  psiFullX100: number;
  swapInPages: number;
  swapOutPages: number;
  oomKills: number;
}

export interface SystemSource {
  readonly figures: Readonly<SystemFigures>;
  /** what is NaN, and why */
  readonly unknown: readonly Unknown[];
  sample(): void;
}

/** A target's memory cgroup with its ancestors, shared between targets. */
export interface CgroupView {
  readonly version: 1 | 2;
  readonly path: string;
  /** of its own level, on disk */
  readonly directory: string;
  /** own level first; figures as of the last sample */
  readonly levels: readonly CgroupLevel[];
  /** limit of ancestors that cannot be seen from here, Infinity when there is none */
  readonly hiddenLimitBytes: number;
}

export interface CgroupSource {
  /** The cgroup of a process, or why there is none: `known` itself while it is in that one still, else release it. */
  open(pid: number, timeMs: number, known: CgroupView | string): CgroupView | string;
  release(view: CgroupView): void;
  /** Reads every open cgroup once. */
  sample(): void;
  /** Re-reads limits that are older than the interval. */
  refreshLimits(view: CgroupView, timeMs: number, intervalMs: number): void;
  /** Now, not from the last sample. */
  oomKills(view: CgroupView): number;
  /** The processes in a cgroup given as a directory or as a path below the mount, or why not. */
  members(path: string): readonly number[] | string;
}

export interface World {
  readonly platform: 'procfs' | 'portable';
  readonly processes: ProcessSource;
  readonly system: SystemSource;
  readonly cgroups: CgroupSource;
  /** Pids that own the listening TCP port, or why none is known. */
  listeners(port: number): readonly number[] | string;
  close(): void;
}
