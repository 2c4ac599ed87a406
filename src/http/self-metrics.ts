/**
 * memwarden's own metrics, by prom-client. The registry stays in text 0.0.4 for ever: one render as
 * OpenMetrics would strip `_total` from every later page (client_js PR 829).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Reading } from '../collect/reading.ts';
import type { CleanupRun } from '../respond/cleanup.ts';
import type { Warden } from '../warden.ts';

/** Wakes the process twice a second instead of a hundred times. */
const EVENT_LOOP_PRECISION_MS = 500;
/** Gauges that call themselves a total, which `promtool check metrics` refuses; the sums of others. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export interface SelfMetrics {
  render(): Promise<string>;
  close(): void;
}

/** @param defaults false inside a host application, which exports its own process metrics */
export function createSelfMetrics(warden: Warden, version: string, defaults: boolean): SelfMetrics {
  const registry = new Registry();
  const registers = [registry];
  if (defaults) {
    collectDefaultMetrics({
      register: registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS,
    });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  const build = new Gauge({
    name: 'memwarden_build_info',
    help: 'The version that runs',
    labelNames: ['version'],
    registers,
  });
  build.set({ version }, 1);
  const duration = new Histogram({
    name: 'memwarden_sample_duration_seconds',
    help: 'Time one sample takes',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
    registers,
  });
  const samples = new Counter({
    name: 'memwarden_samples_total',
    help: 'Samples taken',
    registers,
  });
  const overruns = new Counter({
    name: 'memwarden_sample_overruns_total',
    help: 'Samples that were due and could not be taken in time',
    registers,
    collect() {
      this.reset();
      this.inc(warden.ticker.overruns);
    },
  });
  const degraded = new Gauge({
    name: 'memwarden_degraded_level',
    help: '0 = sampling at full rate',
    registers,
    collect() {
      this.set(warden.degradation.level);
    },
  });
  const runs = new Counter({
    name: 'memwarden_cleanup_runs_total',
    help: 'Cleanups by level and the worst outcome of their cleaners',
    labelNames: ['level', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const [level, counts] of warden.cleanup.runs) {
        for (const [outcome, count] of Object.entries(counts)) this.inc({ level, outcome }, count);
      }
    },
  });
  const freed = new Counter({
    name: 'memwarden_cleaner_freed_bytes_total',
    help: 'Bytes freed, by cleaner',
    labelNames: ['cleaner'],
    registers,
  });

  const onSample = (): void => {
    samples.inc();
    const lastMs = warden.cost.lastTickMs;
    if (!Number.isNaN(lastMs)) duration.observe(lastMs / 1000);
  };
  const onAction = (run: CleanupRun<Reading>): void => {
    if (run.dryRun) return;
    for (const row of run.results) {
      freed.inc({ cleaner: row.cleaner }, Math.max(0, row.freedBytes ?? 0));
    }
  };
  warden.events.on('sample', onSample);
  warden.events.on('action', onAction);

  return {
    render: () => registry.metrics(),
    close() {
      warden.events.off('sample', onSample);
      warden.events.off('action', onAction);
      for (const metric of [overruns, degraded, runs]) metric.reset();
      registry.clear();
    },
  };
}
