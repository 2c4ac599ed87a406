/** A Reading out of what was just sampled. */
import type { Gauges } from './gauges.ts';
import type { OwnProcess } from './own-process.ts';
import { CPU_MS, OPEN_FDS, PSS, RSS, SWAP, THREADS } from './process-series.ts';
import type { CgroupReading, ProcessReading, Reading, SystemReading, Unknown } from './reading.ts';
import type { Target } from './target.ts';
import type { CgroupSource, CgroupView, SystemFigures, SystemSource } from './world.ts';

export interface ReadingSources {
  readonly name: string;
  readonly timeMs: number;
  /** null for `system`, and for a name that is no target */
  readonly target: Target | null;
  readonly system: SystemSource;
  readonly cgroups: CgroupSource;
  readonly gauges: Gauges;
  readonly own: OwnProcess;
}

const NO_GROWTH = 'needs two major collections with growth between them';
const NOT_OURS = 'only known for the process that memwarden runs in';

/** Reads the heap, collections and OOM kills itself; everything else as sampled. */
export function readingOf(sources: ReadingSources): Reading {
  const { name, timeMs, target, system, cgroups, gauges, own } = sources;
  const isOwn = target?.tree ? target.tree.root.pid === process.pid : name === 'self';
  const view = target?.cgroup ?? '';
  const { custom, unknown } = gauges.values(name, timeMs);
  const parts = {
    process: target && processReading(target),
    heap: isOwn ? own.heap() : null,
    gc: isOwn ? own.gc() : null,
    cgroup: typeof view === 'string' ? null : cgroupReading(view, cgroups),
  };
  const missing = name === 'system' ? [] : [...missingParts(sources, parts), ...unknown];
  return {
    timeMs,
    target: name,
    ...parts,
    system: systemReading(system.figures),
    custom,
    unknown: [...missing, ...system.unknown],
  };
}

type Parts = Pick<Reading, 'process' | 'heap' | 'gc' | 'cgroup'>;

function missingParts({ name, target }: ReadingSources, parts: Parts): Unknown[] {
  const missing: Unknown[] = [];
  const note = (metric: string, reason: string): number => missing.push({ metric, reason });
  const { process, heap, gc, cgroup } = parts;
  if (process === null) note('process', target?.state.reason ?? `there is no target ${name}`);
  if (heap === null) note('heap', NOT_OURS);
  if (gc === null) note('gc', heap === null ? NOT_OURS : 'counted once this process is a target');
  if (gc && Number.isNaN(gc.effectivenessPercent)) note('gc.effectiveness_percent', NO_GROWTH);
  if (cgroup === null && target) note('cgroup', String(target.cgroup));
  for (const [metric, value] of cgroup ? cgroupFigures(cgroup) : []) {
    if (Number.isNaN(value)) note(metric, 'the kernel does not say');
  }
  const left = target?.blocks.flatMap((block) => block.unknown) ?? [];
  return [...missing, ...(target?.tree?.unknown() ?? []), ...left];
}

const cgroupFigures = (cgroup: CgroupReading): [metric: string, value: number][] => [
  ['cgroup.usage_bytes', cgroup.usageBytes],
  ['cgroup.working_set_bytes', cgroup.workingSetBytes],
  ['cgroup.limit_bytes', cgroup.limitBytes],
  ['cgroup.oom_kills', cgroup.oomKills],
];

function processReading({ tree }: Target): ProcessReading | null {
  if (tree === null) return null;
  const { root, figures, members, peakRssBytes } = tree;
  return {
    pid: root.pid,
    rssBytes: figures.get(RSS),
    pssBytes: figures.get(PSS),
    swapBytes: figures.get(SWAP),
    peakRssBytes,
    cpuSeconds: figures.get(CPU_MS) / 1_000,
    threads: figures.get(THREADS),
    openFds: figures.get(OPEN_FDS),
    processes: members.length,
  };
}

function systemReading(figures: Readonly<SystemFigures>): SystemReading {
  const { totalBytes, availableBytes, swapUsedBytes, swapInPages, swapOutPages, oomKills } =
    figures;
  return {
    totalBytes,
    availableBytes,
    usedPercent: (1 - availableBytes / totalBytes) * 100,
    swapUsedBytes,
    psi: { someAvg10: figures.psiSomeX100 / 100, fullAvg10: figures.psiFullX100 / 100 },
    swapInPages,
    swapOutPages,
    oomKills,
  };
}

function cgroupReading(view: CgroupView, cgroups: CgroupSource): CgroupReading {
  const levels = view.levels.map(({ path, usageBytes, workingSetBytes, limitBytes }) => ({
    path,
    usageBytes,
    workingSetBytes,
    limitBytes,
  }));
  const { version, path } = view;
  const unread = { usageBytes: Number.NaN, workingSetBytes: Number.NaN, limitBytes: Number.NaN };
  return { version, ...(levels[0] ?? unread), path, oomKills: cgroups.oomKills(view), levels };
}
