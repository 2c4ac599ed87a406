/**
 * What collect knows at one moment. Bytes, seconds and counts; NaN is "unknown", and `unknown`
 * says why. Wire names and null belong to http/.
 */

export interface Unknown {
  /** dotted path on the wire, such as `heap.used_bytes` */
  readonly metric: string;
  readonly reason: string;
}

export interface ProcessReading {
  readonly pid: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly swapBytes: number;
  readonly peakRssBytes: number;
  readonly cpuSeconds: number;
  readonly threads: number;
  readonly openFds: number;
  readonly processes: number;
}

export interface HeapReading {
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly limitBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly spaces: Readonly<Record<string, number>>;
}

export interface GcReading {
  readonly minorCount: number;
  readonly majorCount: number;
  readonly pauseSecondsTotal: number;
  readonly effectivenessPercent: number;
}

export interface SystemReading {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly usedPercent: number;
  readonly swapUsedBytes: number;
  readonly psi: { readonly someAvg10: number; readonly fullAvg10: number };
  /** pages swapped in and out since boot (vmstat pswpin, pswpout), and the kernel's own OOM kills */
  readonly swapInPages: number;
  readonly swapOutPages: number;
  readonly oomKills: number;
}

/** One cgroup with its own counters; an ancestor of the target's, or the target's own. */
export interface CgroupLevel {
  readonly path: string;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  /** Infinity when the level sets none, NaN when it cannot be read */
  readonly limitBytes: number;
}

export interface CgroupReading {
  readonly version: 1 | 2;
  readonly path: string;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  /** own limit; Infinity when none */
  readonly limitBytes: number;
  readonly oomKills: number;
  /** own level first, then every ancestor up to the root */
  readonly levels: readonly CgroupLevel[];
}

/** null parts do not apply or could not be read; `unknown` then names them. */
export interface Reading {
  readonly timeMs: number;
  readonly target: string;
  readonly process: ProcessReading | null;
  readonly heap: HeapReading | null;
  readonly gc: GcReading | null;
  readonly system: SystemReading;
  readonly cgroup: CgroupReading | null;
  readonly custom: Readonly<Record<string, number>>;
  readonly unknown: readonly Unknown[];
}

/** A target as found: `generation` counts the identities (boot id, pid, start time) it has had. */
export interface TargetState {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'gone';
  readonly pid: number | null;
  readonly generation: number;
  readonly identity: string | null;
  readonly sinceMs: number | null;
  /** when the process began, which may be before anyone watched it; null unless running */
  readonly startedMs: number | null;
  readonly processes: number;
  readonly command: string | null;
  /** why it is not running, or null */
  readonly reason: string | null;
}

/** A target appeared, vanished, or came back as another process. */
export interface CollectEvent {
  readonly kind: 'found' | 'gone' | 'restarted';
  readonly target: string;
  readonly pid: number;
  readonly generation: number;
  readonly identity: string;
  readonly timeMs: number;
  readonly reason: string;
}

/** One limit that holds for a target, and what is charged against it. */
export interface LimitInput {
  readonly kind: 'v8_heap' | 'cgroup' | 'host';
  /** cgroup path, `heap limit` or `host` */
  readonly name: string;
  /** Infinity when there is none, NaN when it cannot be read */
  readonly limitBytes: number;
  readonly usageBytes: number;
}

/** What does not change while the host runs. null is unknown. */
export interface HostFacts {
  readonly os: string | null;
  readonly kernel: string | null;
  readonly arch: string;
  readonly cpuModel: string | null;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** hypervisor, `''` on bare metal */
  readonly virtualization: string | null;
  /** `docker`, `podman`, `kubernetes`, …; null outside a container */
  readonly container: string | null;
  readonly unknown: readonly Unknown[];
}
