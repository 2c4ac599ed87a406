import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Registration } from '../../src/policy/service.ts';
import { aService, canTakePid, endServices, takePid } from './a-service.ts';
import {
  aClock,
  alertsOf,
  aWarden,
  FIRES,
  HOUR_MS,
  SECOND_MS,
  sample,
  stop,
  stopWardens,
  timesOf,
} from './a-warden.ts';
import { aDataDir, anApp, endApps } from './an-app.ts';

afterEach(stopWardens);
afterEach(endApps);
afterEach(endServices);

const gapsOf = (times: readonly number[]): number[] =>
  times.slice(1).map((ms, index) => ms - (times[index] as number));

describe('a restart', () => {
  it('keeps history, and what was already told', async () => {
    const clock = aClock();
    const dataDir = aDataDir();
    const first = aWarden(FIRES, { clock, dataDir });
    const firstTold = alertsOf(first);
    sample(first, clock, 30);
    const times = timesOf(first);
    await stop(first);
    expect(firstTold).toEqual(['fired']);

    clock.pass(60 * SECOND_MS);
    const second = aWarden(FIRES, { clock, dataDir });
    const told = alertsOf(second);
    const { state } = second.judge.board.instances()[0] ?? {};
    expect(state?.phase).toBe('firing');
    sample(second, clock, 30);
    expect(timesOf(second).slice(0, 30)).toEqual(times);
    expect(timesOf(second)).toHaveLength(60);
    expect(told).toEqual([]);

    clock.pass(15 * 60 * SECOND_MS);
    second.tick();
    expect(told).toEqual(['reminded']);
  });

  it('after a kill keeps what was flushed', async () => {
    const clock = aClock();
    const dataDir = aDataDir();
    const killed = aWarden('history: { flush: 5s, retention: 1h }', { clock, dataDir });
    sample(killed, clock, 23);
    // what a kill leaves: the file and its log, without the lock and without a last flush
    const copy = aDataDir();
    cpSync(dataDir, copy, { recursive: true, filter: (path) => !/\.(lock|pid)/.test(path) });
    const next = aWarden('', { clock, dataDir: copy });
    next.tick();
    const kept = timesOf(next).length;
    expect(kept).toBeGreaterThanOrEqual(20);
    expect(next.archive.droppedSegments).toBe(0);
  });

  it('after the wall clock was set back keeps every sample, in order', async () => {
    const clock = aClock();
    const dataDir = aDataDir();
    const first = aWarden('', { clock, dataDir });
    sample(first, clock, 30);
    await stop(first);
    clock.step(-HOUR_MS);
    const second = aWarden('', { clock, dataDir });
    sample(second, clock, 5);
    const times = timesOf(second);
    expect(times).toHaveLength(35);
    expect(Math.min(...gapsOf(times))).toBeGreaterThan(0);
    expect(times.at(-1)).toBe(clock.now().wallMs);
  });
});

describe('a wall clock that is stepped', () => {
  it.each([HOUR_MS, -HOUR_MS])('by %d ms takes the past with it', async (stepMs) => {
    const clock = aClock();
    const dataDir = aDataDir();
    const rules = `
thresholds:
  - { name: Now, metric_key: process_memory_mb, threshold_value: 1 }
  - { name: Soon, metric_key: process_memory_mb, threshold_value: 1, for: 5m }
`;
    const warden = aWarden(rules, { clock, dataDir });
    const told = alertsOf(warden);
    sample(warden, clock, 60);
    expect(told).toEqual(['fired']);
    clock.step(stepMs);
    sample(warden, clock, 60);

    const times = timesOf(warden);
    expect(new Set(gapsOf(times))).toEqual(new Set([SECOND_MS]));
    expect(times).toHaveLength(120);
    expect(times.at(-1)).toBe(clock.now().wallMs);
    expect(told).toEqual(['fired']);
    const phases = warden.judge.board.instances().map(({ state }) => state.phase);
    expect(phases).toEqual(['firing', 'pending']);

    sample(warden, clock, 185);
    expect(told).toEqual(['fired', 'fired']);
    await stop(warden);
    const again = aWarden(rules, { clock, dataDir });
    expect(timesOf(again)).toHaveLength(305);
    expect(new Set(gapsOf(timesOf(again)))).toEqual(new Set([SECOND_MS]));
  });

  it('does not move the past for two samples in one millisecond', () => {
    const clock = aClock();
    const warden = aWarden('', { clock });
    warden.tick();
    const { firstMs } = warden.history;
    for (let i = 0; i < 100; i++) warden.tick();
    expect(warden.history.firstMs).toBe(firstMs);
    expect(timesOf(warden)).toHaveLength(101);
  });
});

describe('a suspend', () => {
  it('stays a gap', () => {
    const clock = aClock();
    const warden = aWarden(FIRES, { clock });
    const told = alertsOf(warden);
    sample(warden, clock, 10);
    clock.pass(HOUR_MS);
    sample(warden, clock, 10);
    const gaps = gapsOf(timesOf(warden));
    expect(gaps.filter((ms) => ms > SECOND_MS)).toEqual([HOUR_MS + SECOND_MS]);
    expect(told).toEqual(['fired', 'reminded']);
  });
});

describe('the periodic cleanup', () => {
  it('runs when it is due, and not for a stepped clock', async () => {
    const clock = aClock();
    const warden = aWarden('auto_cleanup: { interval: 1m, level: gentle }', { clock });
    const reasons: string[] = [];
    warden.events.on('action', ({ reason }) => reasons.push(reason));
    sample(warden, clock, 59);
    const due = once(warden.events, 'action');
    sample(warden, clock, 2);
    await due;
    clock.step(-HOUR_MS);
    const again = once(warden.events, 'action');
    sample(warden, clock, 61);
    await again;
    expect(reasons).toEqual(['periodic', 'periodic']);
  });
});

describe('a registered service', () => {
  const registration = (name: string, pid: number): Registration => ({
    name,
    pid,
    includeChildren: true,
    budgetBytes: null,
    cleanupUrl: null,
    cleanupLevel: 'gentle',
    metricsAddress: null,
    metricsPath: '/metrics',
    identity: null,
  });

  it.skipIf(!canTakePid())('is not another program that got its pid', async () => {
    const service = await aService();
    const clock = aClock();
    const warden = aWarden('', { clock });
    warden.services.put(registration('shop', service.pid), warden.policy);
    sample(warden, clock, 2);
    await service.end();
    sample(warden, clock, 2);
    expect(warden.collector.state('shop')?.state).toBe('gone');
    await takePid(service.pid);
    sample(warden, clock, 30);
    expect(warden.collector.state('shop')).toMatchObject({
      state: 'gone',
      reason: `pid ${service.pid} now belongs to another program`,
    });
  });

  it.skipIf(!canTakePid())(
    'that comes after its registration is known after a restart',
    async () => {
      const early = await aService();
      await early.end();
      const clock = aClock();
      const dataDir = aDataDir();
      const first = aWarden('', { clock, dataDir });
      first.services.put(registration('shop', early.pid), first.policy);
      sample(first, clock, 2);
      await takePid(early.pid);
      sample(first, clock, 30);
      expect(first.collector.state('shop')?.state).toBe('running');
      await stop(first);
      const second = aWarden('', { clock, dataDir });
      expect(second.collector.state('shop')).toMatchObject({ state: 'running', pid: early.pid });
    },
  );

  it('is one of a thousand at most', async () => {
    const warden = aWarden('');
    const { pid } = await aService();
    for (let i = 0; i < 1_000; i++) warden.services.put(registration(`s${i}`, pid), warden.policy);
    expect(() => warden.services.put(registration('more', pid), warden.policy)).toThrow(/1000/);
    warden.services.put(registration('s1', pid), warden.policy);
    warden.tick();
    expect(warden.states()).toHaveLength(1_001);
  });
});

describe('its own cost', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([-HOUR_MS, HOUR_MS])('is measured on when the clock is stepped by %d ms', (stepMs) => {
    const clock = aClock();
    const warden = aWarden('', { clock });
    vi.useFakeTimers({ toFake: ['performance'] });
    sample(warden, clock, 1);
    clock.step(stepMs);
    vi.advanceTimersByTime(10_000);
    sample(warden, clock, 1);
    expect(warden.cost.cpuPercent).toBeNaN();
    vi.advanceTimersByTime(21_000);
    sample(warden, clock, 1);
    expect(warden.cost.cpuPercent).toBeGreaterThan(0);
  });
});

describe('a defect', () => {
  it('of a gauge costs that gauge only', async () => {
    const app = await anApp();
    app.memory.addGauge('self', 'good', () => 1);
    app.memory.addGauge('self', 'bad', () => {
      throw new Error('no');
    });
    app.memory.addGauge('self', 'odd', () => 'two' as unknown as number);
    app.memory.tick();
    expect(app.memory.failures).toBe(0);
    const { current } = (await app.inject('/internal/memory/status')).json();
    expect(current.custom_metrics).toEqual({ good: 1, bad: null, odd: null });
  });

  it('in a sample is counted and told, and sampling goes on', async () => {
    const app = await anApp('sampling: { interval: 100ms, detail_interval: 100ms }');
    app.memory.events.once('sample', () => {
      throw new Error('a listener broke');
    });
    // the first of the two is the one that breaks
    for (let i = 0; i < 2; i++) await once(app.memory.events, 'sample');
    expect(app.memory.failures).toBe(1);
    const { self } = (await app.inject('/internal/memory/status')).json();
    expect(self.warnings).toEqual(['1 samples failed; the log says why']);
  });
});
