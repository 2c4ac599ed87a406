/** The engine without HTTP, on a clock that the test moves. */
import pino from 'pino';
import type { Clock } from '../../src/collect/clock.ts';
import { type AlertEvent, createWarden, type Warden } from '../../src/warden.ts';
import { aDataDir, aPolicy } from './an-app.ts';

export const SECOND_MS = 1_000;
export const HOUR_MS = 3_600_000;
const log = pino({ level: 'silent' });

const running = new Set<Warden>();

export interface TestClock extends Clock {
  /** time passes, or the machine sleeps: both look the same on both clocks */
  pass(ms: number): void;
  /** someone sets the wall clock */
  step(ms: number): void;
}

export function aClock(startMs = Date.now()): TestClock {
  let wallMs = startMs;
  let bootMs = 1_000_000;
  return {
    now: () => ({ wallMs, bootMs }),
    close() {},
    pass(ms) {
      wallMs += ms;
      bootMs += ms;
    },
    step(ms) {
      wallMs += ms;
    },
  };
}

export function aWarden(yaml: string, { clock = aClock(), dataDir = aDataDir() } = {}): Warden {
  const warden = createWarden({ policy: aPolicy(yaml, { dataDir }), log, clock });
  running.add(warden);
  return warden;
}

export async function stop(warden: Warden): Promise<void> {
  running.delete(warden);
  await warden.stop();
}

/** For afterEach. */
export async function stopWardens(): Promise<void> {
  for (const warden of running) await stop(warden);
}

/** Samples once a second. */
export function sample(warden: Warden, clock: TestClock, times: number): void {
  for (let i = 0; i < times; i++) {
    clock.pass(SECOND_MS);
    warden.tick();
  }
}

/** Times of the samples that are remembered. */
export const timesOf = (warden: Warden): number[] => {
  const { history } = warden;
  const column = history.find('self/rss_bytes') ?? -1;
  const window = { fromMs: history.firstMs, toMs: history.lastMs, points: 5_000 };
  const { t, series } = history.select([column], window);
  return [...t].filter((_ms, index) => !Number.isNaN(series[0]?.[index]));
};

/** A rule that holds from the first sample on. */
export const FIRES = `
thresholds: [{ name: Big, metric_key: process_memory_mb, threshold_value: 1, alert_cooldown_minutes: 15 }]
`;

/** What is told from now on, in order. */
export function alertsOf(warden: Warden): AlertEvent['event'][] {
  const told: AlertEvent['event'][] = [];
  warden.events.on('alert', ({ event }) => told.push(event));
  return told;
}
