import { afterEach, describe, expect, it } from 'vitest';
import { endAll, start } from './processes.ts';
import { byPid, type Watch, watch } from './watch.ts';

let watching: Watch | undefined;
afterEach(async () => {
  watching?.collector.close();
  watching = undefined;
  await endAll();
});

const self = { name: 'me', match: { self: true }, includeChildren: false } as const;

describe('without /proc', () => {
  it('measures this process at once, and knows what it cannot know', () => {
    watching = watch([self], { procRoot: '/nonexistent' });
    const { collector, step, value, nowMs } = watching;
    step();
    expect(collector.platform).toBe('portable');
    expect(value('me/rss_bytes')).toBeGreaterThan(20e6);
    expect(value('me/cpu_ms')).toBeGreaterThan(0);
    expect(value('me/heap_used_bytes')).toBeGreaterThan(1e6);
    expect(value('me/pss_bytes')).toBeNaN();
    expect(value('system/total_bytes')).toBeGreaterThan(0);
    expect(collector.identify('me')?.pid).toBe(process.pid);
    const { unknown, cgroup } = collector.read('me', nowMs);
    expect(cgroup).toBeNull();
    expect(unknown).toEqual(
      expect.arrayContaining([
        { metric: 'process.swap_bytes', reason: 'not known on this platform' },
        { metric: 'cgroup', reason: 'not known on this platform' },
      ]),
    );
  });

  it('finds other processes once it has looked', async () => {
    const sleeper = await start('sleep', ['1000']);
    watching = watch([byPid('api', sleeper.pid)], { procRoot: '/nonexistent' });
    const { collector, step, value } = watching;
    expect(collector.state('api')).toMatchObject({ state: 'waiting' });
    expect(collector.state('api')?.reason).toBe('the first look at the processes is not finished');
    await expect
      .poll(
        () => {
          step(60_000);
          return collector.state('api')?.state;
        },
        { timeout: 10_000 },
      )
      .toBe('running');
    step();
    expect(value('api/rss_bytes')).toBeGreaterThan(0);
    expect(value('system/available_bytes')).toBeGreaterThan(0);
  });
});

describe('facts', () => {
  it('are found once and kept', async () => {
    watching = watch([], {});
    const { collector } = watching;
    const facts = await collector.facts();
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.kernel).toMatch(/\d/);
    expect(await collector.facts()).toBe(facts);
  });
});
