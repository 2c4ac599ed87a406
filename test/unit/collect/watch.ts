/** A collector with its row, and the row read by series key. */
import {
  type CollectEvent,
  type Collector,
  type CollectorOptions,
  createCollector,
  type WatchedTarget,
} from '../../../src/collect/collector.ts';

export interface Watch {
  readonly collector: Collector;
  readonly events: CollectEvent[];
  readonly keys: readonly string[];
  /** A tick and a detail with a generous budget, `advanceMs` after the last one. */
  step(advanceMs?: number, budgetMs?: number): void;
  tick(advanceMs?: number): void;
  value(key: string): number;
  readonly nowMs: number;
}

export function watch(
  targets: readonly WatchedTarget[],
  options: Partial<CollectorOptions> = {},
): Watch {
  const keys: string[] = [];
  const events: CollectEvent[] = [];
  const row = new Float64Array(20_000).fill(Number.NaN);
  let nowMs = 1_000_000;
  const collector = createCollector({
    targets,
    column: (key) => keys.push(key) - 1,
    detailIntervalMs: 30_000,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const tick = (advanceMs = 1_000): void => {
    nowMs += advanceMs;
    collector.tick(row, nowMs);
  };
  return {
    collector,
    events,
    keys,
    tick,
    step(advanceMs, budgetMs = 1_000) {
      tick(advanceMs);
      collector.detail(nowMs, budgetMs);
    },
    value: (key) => row[keys.indexOf(key)] ?? Number.NaN,
    get nowMs() {
      return nowMs;
    },
  };
}

export const byPid = (name: string, pid: number, includeChildren = true): WatchedTarget => ({
  name,
  match: { pid },
  includeChildren,
});
