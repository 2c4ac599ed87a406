/**
 * memwarden's own conduct: the heartbeat, what it costs, and yielding when that is too much. A monitor must not be what kills the machine.
 */
import type { FastifyBaseLogger } from 'fastify';
import { createSelfCost, type SelfCost } from '../collect/self-cost.ts';
import { createTicker, type Ticker } from '../collect/ticker.ts';
import {
  DEGRADED_FACTOR,
  type Degradation,
  NOT_DEGRADED,
  stepDegradation,
} from '../detect/degrade.ts';
import type { SamplingPolicy } from '../policy/policy.ts';

const WINDOW_MS = 30_000;
const STALL_INTERVALS = 5;
const LEAST_STALL_MS = 5_000;

export interface Conduct {
  readonly cost: SelfCost;
  readonly ticker: Ticker;
  readonly degradation: Degradation;
  /** 1 at full rate; the interval is this many times as long */
  readonly factor: number;
  setPolicy(sampling: SamplingPolicy): void;
  /**
   * `nowMs` of performance.now(): a stepped wall clock is no conduct. Counts a sample, and changes the rate when a window has shown that it costs too much. */
  account(tickMs: number, nowMs: number): void;
  /** No sample for too long, on the clock that no one sets. */
  stalled(): boolean;
}

export function createConduct(options: {
  sampling: SamplingPolicy;
  /** the process is not ours: only what sampling takes counts as our cost */
  embedded: boolean;
  historyBytes(): number;
  /** history is to be held in half of what it was */
  onHalve(halvings: number): void;
  onTick(): void;
  log: FastifyBaseLogger;
}): Conduct {
  const { embedded, log } = options;
  let { sampling } = options;
  let degradation = NOT_DEGRADED;
  let lastMs = performance.now();
  let windows = 0;
  const cost = createSelfCost(WINDOW_MS);
  const ticker = createTicker({
    intervalMs: sampling.intervalMs,
    onTick: options.onTick,
    ref: !embedded,
  });
  const factor = (): number => DEGRADED_FACTOR[degradation.level] ?? 1;

  const judge = (): void => {
    const before = degradation;
    degradation = stepDegradation(
      degradation,
      {
        cpuPercent: embedded ? cost.samplingPercent : cost.cpuPercent,
        rssBytes: embedded ? options.historyBytes() : cost.rssBytes,
      },
      sampling.selfBudget,
    );
    if (degradation.halvings !== before.halvings) options.onHalve(degradation.halvings);
    if (degradation.level !== before.level) ticker.setInterval(sampling.intervalMs * factor());
    if (degradation.reason !== before.reason || degradation.level !== before.level) {
      log.warn({ ...degradation }, 'memwarden changed what it costs');
    }
  };

  return {
    cost,
    ticker,
    get degradation() {
      return degradation;
    },
    get factor() {
      return factor();
    },
    setPolicy(next) {
      sampling = next;
      ticker.setInterval(sampling.intervalMs * factor());
    },
    stalled() {
      const limitMs = Math.max(LEAST_STALL_MS, STALL_INTERVALS * ticker.intervalMs);
      return performance.now() - lastMs > limitMs;
    },
    account(tickMs, nowMs) {
      lastMs = nowMs;
      // The first window still pays for the start: first looks at every process, code not yet compiled.
      if (cost.add(tickMs, nowMs) && ++windows > 1) judge();
    },
  };
}
