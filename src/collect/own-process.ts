/**
 * What only the process itself can see: V8's heap, its collections, and how late the loop runs.
 *
 * The GC profiler tells the heap before and after each collection, which a PerformanceObserver does
 * not; it costs 24 µs a collection against 10, and 3 µs a tick when there was none. The delay
 * histogram wakes up every 250 ms, for 0.02 % of a core: at 20 ms it would be 0.2 %.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import v8 from 'node:v8';
import { createGcEffectiveness } from './gc-effectiveness.ts';
import type { GcReading, HeapReading } from './reading.ts';

const DELAY_RESOLUTION_MS = 250;
const MINOR = new Set(['Scavenge', 'MinorMarkCompact', 'MinorMarkSweep']);
const MAJOR = 'MarkSweepCompact';

/** As of the last sample; NaN before the first. Counts and pauses since `start`. */
export interface OwnFigures {
  heapUsedBytes: number;
  heapTotalBytes: number;
  heapLimitBytes: number;
  externalBytes: number;
  arrayBuffersBytes: number;
  gcMinorCount: number;
  gcMajorCount: number;
  gcPauseUs: number;
  /** the latest that the loop was between the last two samples */
  eventLoopDelayUs: number;
}

export const OWN_SERIES = [
  'heap_used_bytes',
  'heap_total_bytes',
  'external_bytes',
  'array_buffers_bytes',
  'gc_minor_count',
  'gc_major_count',
  'gc_pause_us',
  'event_loop_delay_us',
] as const;

/** In the order of OWN_SERIES. */
export function ownValues(figures: Readonly<OwnFigures>): number[] {
  return [
    figures.heapUsedBytes,
    figures.heapTotalBytes,
    figures.externalBytes,
    figures.arrayBuffersBytes,
    figures.gcMinorCount,
    figures.gcMajorCount,
    figures.gcPauseUs,
    figures.eventLoopDelayUs,
  ];
}

export interface OwnProcess {
  readonly figures: Readonly<OwnFigures>;
  /** Begins to count collections and delays; before that only the heap is known. */
  start(): void;
  sample(): void;
  heap(): HeapReading;
  /** null before `start` */
  gc(): GcReading | null;
  close(): void;
}

/** Cost of a sample: about 12 µs and what the collections since the last one cost. */
export function createOwnProcess(): OwnProcess {
  const profiler = new v8.GCProfiler();
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  const effectiveness = createGcEffectiveness();
  const figures = unknownFigures();
  let started = false;

  const collect = (): void => {
    const { statistics } = profiler.stop();
    profiler.start();
    for (const { gcType, cost, beforeGC, afterGC } of statistics) {
      figures.gcPauseUs += cost;
      if (MINOR.has(gcType)) figures.gcMinorCount++;
      if (gcType !== MAJOR) continue;
      figures.gcMajorCount++;
      effectiveness.add({
        usedBeforeBytes: beforeGC.heapStatistics.usedHeapSize,
        usedAfterBytes: afterGC.heapStatistics.usedHeapSize,
      });
    }
  };

  const sampleDelay = (): void => {
    if (delay.count === 0) return;
    figures.eventLoopDelayUs = Math.max(
      0,
      Math.round(delay.max / 1_000) - DELAY_RESOLUTION_MS * 1_000,
    );
    delay.reset();
  };

  const sampleHeap = (): void => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    figures.heapUsedBytes = heapUsed;
    figures.heapTotalBytes = heapTotal;
    figures.externalBytes = external;
    figures.arrayBuffersBytes = arrayBuffers;
    figures.heapLimitBytes = v8.getHeapStatistics().heap_size_limit;
  };

  return {
    figures,
    start() {
      if (started) return;
      started = true;
      profiler.start();
      delay.enable();
      figures.gcMinorCount = 0;
      figures.gcMajorCount = 0;
      figures.gcPauseUs = 0;
    },
    sample() {
      sampleHeap();
      if (!started) return;
      collect();
      sampleDelay();
    },
    heap() {
      sampleHeap();
      return {
        usedBytes: figures.heapUsedBytes,
        totalBytes: figures.heapTotalBytes,
        limitBytes: figures.heapLimitBytes,
        externalBytes: figures.externalBytes,
        arrayBuffersBytes: figures.arrayBuffersBytes,
        spaces: heapSpaces(),
      };
    },
    gc() {
      if (!started) return null;
      collect();
      return {
        minorCount: figures.gcMinorCount,
        majorCount: figures.gcMajorCount,
        pauseSecondsTotal: figures.gcPauseUs / 1e6,
        effectivenessPercent: effectiveness.percent,
      };
    },
    close() {
      if (started) profiler.stop();
      delay.disable();
      started = false;
    },
  };
}

const heapSpaces = (): Record<string, number> =>
  Object.fromEntries(
    v8.getHeapSpaceStatistics().map((space) => [space.space_name, space.space_used_size]),
  );

const unknownFigures = (): OwnFigures => ({
  heapUsedBytes: Number.NaN,
  heapTotalBytes: Number.NaN,
  heapLimitBytes: Number.NaN,
  externalBytes: Number.NaN,
  arrayBuffersBytes: Number.NaN,
  gcMinorCount: Number.NaN,
  gcMajorCount: Number.NaN,
  gcPauseUs: Number.NaN,
  eventLoopDelayUs: Number.NaN,
});
