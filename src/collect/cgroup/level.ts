/**
 * One cgroup directory: what it uses, how much of that the kernel could drop, and its limit.
 *
 * Working set = usage − inactive page cache, as the kubelet counts it: what is left when the kernel
 * has dropped what it drops without harm. memory.high throttles and does not kill, so only
 * memory.max is a limit.
 * Source: kernel docs admin-guide/cgroup-v2 and cgroup-v1/memory.
 */
import { keysOf, readKeyed, readUint } from '../procfs/bytes.ts';
import type { ProcFile, ProcFiles } from '../procfs/files.ts';
import type { CgroupLevel } from '../reading.ts';

/** v1 says "none" with the largest multiple of a page below 2^63. */
const V1_NO_LIMIT = 2 ** 62;

interface LevelFiles {
  readonly usage: string;
  readonly limit: string;
  readonly oom: string;
  readonly statKeys: Uint8Array[];
  readonly oomKeys: Uint8Array[];
}

const FILES: Record<1 | 2, LevelFiles> = {
  1: {
    usage: 'memory.usage_in_bytes',
    limit: 'memory.limit_in_bytes',
    oom: 'memory.oom_control',
    statKeys: keysOf('total_inactive_file ', 'hierarchical_memory_limit '),
    oomKeys: keysOf('oom_kill '),
  },
  2: {
    usage: 'memory.current',
    limit: 'memory.max',
    oom: 'memory.events',
    statKeys: keysOf('inactive_file '),
    oomKeys: keysOf('oom_kill '),
  },
};

export interface OpenLevel extends CgroupLevel {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly usageFile: ProcFile;
  readonly statFile: ProcFile;
  usageBytes: number;
  workingSetBytes: number;
  limitBytes: number;
  inactiveFileBytes: number;
  /** v1: the smallest limit up to the true root, Infinity when none; also of ancestors not mounted here */
  hierarchicalLimitBytes: number;
  limitReadMs: number;
  /** views that contain this level, and those whose own level it is */
  users: number;
  owners: number;
}

export function createLevel(
  files: ProcFiles,
  at: { version: 1 | 2; directory: string; path: string },
): OpenLevel {
  return {
    ...at,
    usageFile: files.file(`${at.directory}/${FILES[at.version].usage}`),
    statFile: files.file(`${at.directory}/memory.stat`),
    usageBytes: Number.NaN,
    workingSetBytes: Number.NaN,
    limitBytes: Number.NaN,
    inactiveFileBytes: Number.NaN,
    hierarchicalLimitBytes: Infinity,
    limitReadMs: Number.NaN,
    users: 0,
    owners: 0,
  };
}

/** Usage, and the working set with the page cache as of the last readStat. One pread. */
export function readUsage(files: ProcFiles, level: OpenLevel): void {
  level.usageBytes = readUint(files.bytes, 0, files.read(level.usageFile));
  level.workingSetBytes = Math.max(0, level.usageBytes - level.inactiveFileBytes);
}

/** The page cache that could go. memory.stat is the dear file: the kernel sums it over all CPUs. */
export function readStat(files: ProcFiles, level: OpenLevel): void {
  const values = new Float64Array(2);
  const end = files.read(level.statFile);
  readKeyed({ bytes: files.bytes, end }, FILES[level.version].statKeys, values);
  const [inactiveFileBytes = Number.NaN, hierarchical = Number.NaN] = values;
  level.inactiveFileBytes = inactiveFileBytes;
  if (level.version === 1) level.hierarchicalLimitBytes = orNoLimit(hierarchical);
}

/** Infinity for none. The root of v2 has no such file: nothing limits it, so it is not asked. */
export function readLimit(files: ProcFiles, level: OpenLevel): void {
  const end = files.readOnce(files.file(`${level.directory}/${FILES[level.version].limit}`));
  const isMax = end >= 3 && files.bytes.toString('latin1', 0, 3) === 'max';
  level.limitBytes = isMax ? Infinity : orNoLimit(readUint(files.bytes, 0, end));
}

/** Processes the kernel killed for this cgroup's limit; NaN on kernels that do not count. */
export function readOomKills(files: ProcFiles, level: OpenLevel): number {
  const { oom, oomKeys } = FILES[level.version];
  const values = new Float64Array(1);
  const end = files.readOnce(files.file(`${level.directory}/${oom}`));
  readKeyed({ bytes: files.bytes, end }, oomKeys, values);
  return values[0]!;
}

const orNoLimit = (bytes: number): number => (bytes >= V1_NO_LIMIT ? Infinity : bytes);
