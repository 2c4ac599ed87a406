/** A reading in the shape of the wire. NaN becomes null; Infinity, "no limit", becomes null too. */
import type { Reading, Unknown } from '../collect/reading.ts';
import type { ReadingWire } from './schemas.ts';

const MIB = 2 ** 20;

/** null for NaN and ±Infinity, which JSON cannot say. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** RFC 3339 with Z; null when unknown. */
export const timeOrNull = (ms: number | null): string | null =>
  ms !== null && Number.isFinite(ms) ? new Date(ms).toISOString() : null;

const finiteValues = (values: Readonly<Record<string, number>>): Record<string, number | null> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, finite(value)]));

const mebibytes = (bytes: number): number | null => finite(Math.round((bytes / MIB) * 100) / 100);

/** What the wire has and a reading has not, or under another name. */
function wireUnknown({ process, unknown }: Reading): Unknown[] {
  const heapObjects = {
    metric: 'heap_objects',
    reason: 'not counted: it takes a heap snapshot',
  };
  if (Number.isFinite(process?.rssBytes ?? Number.NaN)) return [heapObjects];
  const why = unknown.find(({ metric }) => metric === 'process' || metric === 'process.rss_bytes');
  const reason = why?.reason ?? 'the host is not a process';
  return [heapObjects, { metric: 'process_memory_mb', reason }];
}

/** Pure; one object per part. */
export function readingView(reading: Reading): ReadingWire {
  const { process, heap, gc, system, cgroup } = reading;
  return {
    timestamp: new Date(reading.timeMs).toISOString(),
    target: reading.target,
    process_memory_mb: mebibytes(process?.rssBytes ?? Number.NaN),
    system_memory_percent: finite(Math.round(system.usedPercent * 100) / 100),
    heap_objects: null,
    custom_metrics: finiteValues(reading.custom),
    process: process && {
      pid: process.pid,
      rss_bytes: finite(process.rssBytes),
      pss_bytes: finite(process.pssBytes),
      swap_bytes: finite(process.swapBytes),
      peak_rss_bytes: finite(process.peakRssBytes),
      cpu_seconds: finite(process.cpuSeconds),
      threads: finite(process.threads),
      open_fds: finite(process.openFds),
      processes: finite(process.processes),
    },
    heap: heap && {
      used_bytes: finite(heap.usedBytes),
      total_bytes: finite(heap.totalBytes),
      limit_bytes: finite(heap.limitBytes),
      external_bytes: finite(heap.externalBytes),
      array_buffers_bytes: finite(heap.arrayBuffersBytes),
      spaces: finiteValues(heap.spaces),
    },
    gc: gc && {
      minor_count: finite(gc.minorCount),
      major_count: finite(gc.majorCount),
      pause_seconds_total: finite(gc.pauseSecondsTotal),
      effectiveness_percent: finite(gc.effectivenessPercent),
    },
    system: {
      total_bytes: finite(system.totalBytes),
      available_bytes: finite(system.availableBytes),
      used_percent: finite(system.usedPercent),
      swap_used_bytes: finite(system.swapUsedBytes),
      psi: { some_avg10: finite(system.psi.someAvg10), full_avg10: finite(system.psi.fullAvg10) },
    },
    cgroup: cgroup && {
      version: cgroup.version,
      path: cgroup.path,
      usage_bytes: finite(cgroup.usageBytes),
      working_set_bytes: finite(cgroup.workingSetBytes),
      limit_bytes: finite(cgroup.limitBytes),
      oom_kills: finite(cgroup.oomKills),
    },
    unknown: [...reading.unknown, ...wireUnknown(reading)],
  };
}
