import fs from 'node:fs';
import os from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { endAll, start, startShell } from './processes.ts';
import { byPid, type Watch, watch } from './watch.ts';

let watching: Watch | undefined;
const begin = (...options: Parameters<typeof watch>): Watch => {
  watching = watch(...options);
  return watching;
};

afterEach(async () => {
  watching?.collector.close();
  watching = undefined;
  await endAll();
});

const statusKib = (pid: number, key: string): number => {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(new RegExp(`^${key}:\\s+(\\d+)`, 'm'))?.[1]);
};

/** stat sums per-CPU counters only roughly: three counters, 32 pages or twice the CPUs on each CPU. */
const STAT_ERROR_BYTES = 3 * Math.max(32, 2 * os.cpus().length) * os.cpus().length * 4096;

describe('a running process', () => {
  it('is measured as /proc says', async () => {
    const { pid } = await start('sleep', ['1000']);
    const { step, tick, value, collector, nowMs } = begin([byPid('api', pid)]);
    step();
    tick();
    expect(Math.abs(value('api/rss_bytes') - statusKib(pid, 'VmRSS') * 1024)).toBeLessThan(
      STAT_ERROR_BYTES,
    );
    expect(value('api/swap_bytes')).toBe(statusKib(pid, 'VmSwap') * 1024);
    expect(value('api/threads')).toBe(1);
    expect(value('api/processes')).toBe(1);
    expect(value('api/open_fds')).toBe(fs.readdirSync(`/proc/${pid}/fd`).length);
    expect(value('api/pss_bytes')).toBeGreaterThan(0);
    expect(value('api/pss_bytes')).toBeLessThanOrEqual(value('api/rss_bytes'));
    const { process, unknown } = collector.read('api', nowMs);
    expect(process).toMatchObject({
      pid,
      processes: 1,
      peakRssBytes: statusKib(pid, 'VmHWM') * 1024,
    });
    expect(unknown.map(({ metric }) => metric)).toEqual(['heap', 'gc']);
  });

  it('counts CPU upwards', async () => {
    const busy = await start(process.execPath, ['-e', 'for (;;);']);
    const { tick, value } = begin([byPid('busy', busy.pid)]);
    const until = Date.now() + 5_000;
    do tick();
    while (!(value('busy/cpu_ms') >= 100) && Date.now() < until);
    const earlier = value('busy/cpu_ms');
    expect(earlier).toBeGreaterThanOrEqual(100);
    do tick();
    while (value('busy/cpu_ms') === earlier && Date.now() < until);
    expect(value('busy/cpu_ms')).toBeGreaterThan(earlier);
  });

  it('is gone when it ends, and unknown instead of zero', async () => {
    const sleeper = await start('sleep', ['1000']);
    const { tick, value, events, collector, nowMs } = begin([byPid('api', sleeper.pid)]);
    tick();
    await sleeper.end();
    tick();
    expect(value('api/rss_bytes')).toBeNaN();
    expect(value('api/processes')).toBeNaN();
    expect(events.map(({ kind, pid }) => [kind, pid])).toEqual([
      ['found', sleeper.pid],
      ['gone', sleeper.pid],
    ]);
    expect(collector.state('api')).toMatchObject({ state: 'gone', generation: 1, processes: 0 });
    expect(collector.processes('api')).toEqual([]);
    expect(collector.limitInputs('api')).toEqual([]);
    const { process, unknown } = collector.read('api', nowMs);
    expect(process).toBeNull();
    expect(unknown).toContainEqual({
      metric: 'process',
      reason: `process ${sleeper.pid} has ended`,
    });
  });

  it('is gone when it is a zombie that nobody reaps', async () => {
    // the shell becomes a sleep that never waits for its child
    const shell = await startShell('sleep 1000 & echo $!; exec sleep 1000', 1);
    const [child] = shell.children as [number];
    const { tick, collector, value } = begin([byPid('api', child)]);
    tick();
    expect(value('api/rss_bytes')).toBeGreaterThan(0);
    process.kill(child, 'SIGKILL');
    const until = Date.now() + 5_000;
    do tick();
    while (collector.state('api')?.state === 'running' && Date.now() < until);
    expect(fs.readFileSync(`/proc/${child}/stat`, 'utf8')).toContain(') Z ');
    expect(collector.state('api')?.state).toBe('gone');
    expect(collector.identify('api')).toBeNull();
    await shell.end();
  });
});

describe('a process tree', () => {
  it('sums its members and remembers the one that init adopted', async () => {
    const shell = await startShell(
      'sh -c "sleep 1000 & echo \\$!; exec sleep 1000" & echo $!; wait; exec sleep 1000',
      2,
    );
    const { step, tick, value, collector } = begin([byPid('tree', shell.pid)]);
    step();
    tick();
    const pids = [shell.pid, ...shell.children];
    expect([...collector.processes('tree')].sort()).toEqual([...pids].sort());
    const rss = pids.map((pid) => statusKib(pid, 'VmRSS') * 1024);
    const errorBytes = value('tree/rss_bytes') - rss.reduce((a, b) => a + b);
    expect(Math.abs(errorBytes)).toBeLessThan(3 * STAT_ERROR_BYTES);
    const parentOf = (pid: number): number => statusKib(pid, 'PPid');
    const grandchild = pids.find(
      (pid) => parentOf(pid) !== shell.pid && pid !== shell.pid,
    ) as number;
    process.kill(parentOf(grandchild), 'SIGKILL');
    const until = Date.now() + 5_000;
    do step();
    while (value('tree/processes') === 3 && Date.now() < until);
    step();
    expect([...collector.processes('tree')].sort()).toEqual([shell.pid, grandchild].sort());
    await shell.end();
  });

  it('is its root alone when children are not wanted', async () => {
    const shell = await startShell('sleep 1000 & echo $!; wait', 1);
    const { step, collector } = begin([byPid('tree', shell.pid, false)]);
    step();
    step(10_000);
    expect(collector.processes('tree')).toEqual([shell.pid]);
    await shell.end();
  });

  it('takes in a child that is born later, and forgets one that died', async () => {
    const shell = await startShell('echo $$; sleep 0.2; sleep 0.4; exec sleep 1000', 1);
    const { step, tick, value, collector } = begin([byPid('tree', shell.pid)]);
    const until = Date.now() + 10_000;
    const seen = new Set<number>();
    do {
      step(5_000);
      for (const pid of collector.processes('tree')) seen.add(pid);
    } while ((seen.size < 3 || collector.processes('tree').length !== 1) && Date.now() < until);
    expect(seen.size).toBe(3);
    expect(collector.processes('tree')).toEqual([shell.pid]);
    // in the middle of exec a process has no page of its own
    do tick();
    while (!(value('tree/rss_bytes') > 0) && Date.now() < until);
    expect(value('tree/rss_bytes')).toBeGreaterThan(0);
  });
});

describe('identify', () => {
  it('knows the process by boot, pid and start time', async () => {
    const { pid } = await start('sleep', ['1000']);
    const { collector } = begin([byPid('api', pid)]);
    const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const startTicks = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    expect(collector.identify('api')).toEqual({ pid, identity: `${bootId}:${pid}:${startTicks}` });
    expect(collector.identify('nobody')).toBeNull();
  });

  it('is null before any tick has noticed the death', async () => {
    const sleeper = await start('sleep', ['1000']);
    const { collector } = begin([byPid('api', sleeper.pid)]);
    await sleeper.end();
    expect(collector.state('api')?.state).toBe('running');
    expect(collector.identify('api')).toBeNull();
  });

  it('is null while the process runs another program than the one that was seen', async () => {
    const shell = await startShell('echo $$; read -r line; exec sleep 1000', 1);
    // its stdin is empty, so that the shell goes on to exec about now
    const { collector, step } = begin([byPid('api', shell.pid)]);
    const commandOf = (): string => fs.readFileSync(`/proc/${shell.pid}/cmdline`, 'utf8');
    const until = Date.now() + 5_000;
    while (!commandOf().startsWith('sleep') && Date.now() < until);
    step(30_000);
    step(30_000);
    expect(collector.identify('api')?.pid).toBe(shell.pid);
    expect(collector.state('api')?.command).toBe('sleep 1000');
  });
});

describe('this process', () => {
  it('shows its heap, collections and loop delay', () => {
    const { tick, value, collector, nowMs } = begin([
      { name: 'me', match: { self: true }, includeChildren: false },
    ]);
    tick();
    expect(value('me/rss_bytes')).toBeGreaterThan(20e6);
    expect(value('me/heap_used_bytes')).toBeGreaterThan(1e6);
    expect(value('me/gc_minor_count')).toBeGreaterThanOrEqual(0);
    const garbage = (): number => Array.from({ length: 2e5 }, (_, i) => ({ i })).length;
    for (let i = 0; i < 50; i++) garbage();
    tick();
    expect(value('me/gc_minor_count')).toBeGreaterThan(0);
    expect(value('me/gc_pause_us')).toBeGreaterThan(0);
    const { heap, gc, process: own } = collector.read('me', nowMs);
    expect(own?.pid).toBe(process.pid);
    expect(heap?.limitBytes).toBeGreaterThan(heap?.usedBytes ?? Infinity);
    expect(gc?.minorCount).toBeGreaterThan(0);
    const [limit] = collector.limitInputs('me');
    expect(limit).toMatchObject({
      kind: 'v8_heap',
      name: 'heap limit',
      limitBytes: heap?.limitBytes,
    });
  });

  it('notices that the loop was blocked', async () => {
    const { tick, value } = begin([{ name: 'me', match: { self: true }, includeChildren: false }]);
    const until = Date.now() + 10_000;
    do {
      const blockedUntil = Date.now() + 600;
      while (Date.now() < blockedUntil);
      await new Promise(setImmediate);
      tick();
    } while (!(value('me/event_loop_delay_us') > 200_000) && Date.now() < until);
    expect(value('me/event_loop_delay_us')).toBeGreaterThan(200_000);
  });
});

describe('system', () => {
  it('is the host, as /proc/meminfo says', () => {
    const { tick, value, collector, nowMs } = begin([]);
    tick();
    const meminfo = fs.readFileSync('/proc/meminfo', 'utf8');
    const total = Number(meminfo.match(/MemTotal:\s+(\d+)/)?.[1]) * 1024;
    expect(value('system/total_bytes')).toBe(total);
    expect(value('system/used_bytes')).toBe(total - value('system/available_bytes'));
    expect(value('system/oom_kills')).toBeGreaterThanOrEqual(0);
    expect(collector.limitInputs('system')).toEqual([
      { kind: 'host', name: 'host', limitBytes: total, usageBytes: value('system/used_bytes') },
    ]);
    const { process: none, system, unknown } = collector.read('system', nowMs);
    expect(none).toBeNull();
    expect(system.usedPercent).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
  });
});

describe('setTargets', () => {
  it('keeps unchanged targets, closes removed ones, finds new ones at once', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => start('sleep', ['1000'])));
    const { collector, tick, value, events } = begin([
      byPid('a', a?.pid ?? 0),
      byPid('b', b?.pid ?? 0),
    ]);
    tick();
    const since = collector.state('a')?.sinceMs;
    collector.setTargets([byPid('a', a?.pid ?? 0), byPid('c', c?.pid ?? 0)]);
    expect(collector.states().map(({ name, state }) => [name, state])).toEqual([
      ['a', 'running'],
      ['c', 'running'],
    ]);
    expect(collector.state('a')?.sinceMs).toBe(since);
    expect(events.filter(({ target }) => target === 'a')).toHaveLength(1);
    expect(collector.series('b').size).toBe(0);
    tick();
    expect(value('c/rss_bytes')).toBeGreaterThan(0);
  });

  it('takes another process under a name for its next generation', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => start('sleep', ['1000'])));
    const [pidA, pidB] = [a?.pid ?? 0, b?.pid ?? 0];
    const { collector, events } = begin([byPid('api', pidA)]);
    collector.setTargets([byPid('api', pidB)]);
    expect(collector.state('api')).toMatchObject({ state: 'running', pid: pidB, generation: 2 });
    expect(events.map(({ kind, pid, generation }) => [kind, pid, generation])).toEqual([
      ['found', pidA, 1],
      ['restarted', pidB, 2],
    ]);
  });

  it('keeps the generation of a process that is matched another way', async () => {
    const { pid } = await start('sleep', ['1000']);
    const { collector, events } = begin([byPid('api', pid)]);
    const { identity } = collector.state('api') ?? {};
    collector.setTargets([byPid('api', pid, false)]);
    expect(collector.state('api')).toMatchObject({ state: 'running', generation: 1, identity });
    expect(events.map(({ kind, generation }) => [kind, generation])).toEqual([
      ['found', 1],
      ['found', 1],
    ]);
  });

  it('counts on over a process that never came, and from one when the name was free', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => start('sleep', ['1000'])));
    const [pidA, pidB] = [a?.pid ?? 0, b?.pid ?? 0];
    const { collector } = begin([byPid('api', pidA)]);
    collector.setTargets([byPid('api', 2 ** 22 + 1)]);
    expect(collector.state('api')).toMatchObject({ state: 'waiting', pid: null, generation: 1 });
    expect(collector.identify('api')).toBeNull();
    collector.setTargets([byPid('api', pidB)]);
    expect(collector.state('api')).toMatchObject({ state: 'running', generation: 2 });
    collector.setTargets([]);
    collector.setTargets([byPid('api', pidA)]);
    expect(collector.state('api')).toMatchObject({ state: 'running', generation: 1 });
  });

  it('goes on with the series of a name, in the next row', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => start('sleep', ['1000'])));
    const keys: string[] = [];
    // as history: a key has one column for ever
    const column = (key: string): number =>
      keys.includes(key) ? keys.indexOf(key) : keys.push(key) - 1;
    const { collector } = begin([byPid('api', a?.pid ?? 0)], { column });
    const row = new Float64Array(100);
    const before = collector.series('api');
    collector.setTargets([byPid('api', b?.pid ?? 0)]);
    collector.tick(row.fill(Number.NaN), 1_001_000);
    expect(collector.series('api')).toEqual(before);
    expect(row[keys.indexOf('api/rss_bytes')]).toBeGreaterThan(0);
    expect(keys.filter((key) => key === 'api/rss_bytes')).toHaveLength(1);
  });

  it('leaves no descriptor open', async () => {
    const sleeper = await start('sleep', ['1000']);
    const count = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    const { collector, step } = watch([byPid('a', sleeper.pid)]);
    step();
    expect(count()).toBeGreaterThan(before);
    collector.setTargets([]);
    collector.close();
    expect(count()).toBe(before);
  });
});

describe('many targets', () => {
  it('follows 1,000 processes, and every one of them that dies', async () => {
    const script =
      'i=0; while [ $i -lt 1000 ]; do sleep 1000 & echo $!; i=$((i+1)); done; exec sleep 1000';
    const shell = await startShell(script, 1_000);
    const targets = shell.children.map((pid) => byPid(`t${pid}`, pid));
    const { tick, value, collector, events } = begin(targets);
    tick();
    expect(shell.children.filter((pid) => value(`t${pid}/rss_bytes`) > 0)).toHaveLength(1_000);
    const dying = shell.children.filter((_, i) => i % 2 === 0);
    for (const pid of dying) process.kill(pid, 'SIGKILL');
    const until = Date.now() + 10_000;
    do tick();
    while (events.filter(({ kind }) => kind === 'gone').length < 500 && Date.now() < until);
    expect(collector.states().filter(({ state }) => state === 'gone')).toHaveLength(500);
    expect(dying.filter((pid) => !Number.isNaN(value(`t${pid}/rss_bytes`)))).toEqual([]);
    await shell.end();
  });
});
