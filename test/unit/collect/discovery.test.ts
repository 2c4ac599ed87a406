import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WatchedTarget } from '../../../src/collect/collector.ts';
import { createFakeProc, type FakeProc } from './fake-proc.ts';
import { endAll, feed, start } from './processes.ts';
import { byPid, type Watch, watch } from './watch.ts';

let fake: FakeProc;
let watching: Watch | undefined;
const begin = (targets: readonly WatchedTarget[], procRoot = fake.procRoot): Watch => {
  const { cgroupRoot } = fake;
  watching = watch(targets, procRoot === '/proc' ? {} : { procRoot, cgroupRoot });
  return watching;
};
const target = (match: WatchedTarget['match'], includeChildren = true): WatchedTarget => ({
  name: 'api',
  match,
  includeChildren,
});

beforeEach(() => {
  fake = createFakeProc();
});
afterEach(async () => {
  watching?.collector.close();
  watching = undefined;
  fake.close();
  await endAll();
});

describe('a target by command', () => {
  const api = target({ command: /node .*server\.js/ });

  it('is the oldest match that is no child of another match', () => {
    fake.process({ pid: 50, ppid: 40, command: ['node', '/srv/server.js'], startTicks: 70 });
    fake.process({ pid: 40, command: ['node', '/srv/server.js'], startTicks: 70 });
    fake.process({ pid: 60, command: ['node', '/srv/server.js'], startTicks: 90 });
    fake.process({ pid: 30, command: ['vi', 'server.js'], startTicks: 1 });
    const { collector } = begin([api]);
    expect(collector.state('api')).toMatchObject({ pid: 40, command: 'node /srv/server.js' });
  });

  it('never is memwarden itself', () => {
    fake.process({ pid: process.pid, command: ['node', 'server.js'] });
    const { collector } = begin([api]);
    expect(collector.state('api')).toMatchObject({
      state: 'waiting',
      reason: 'no process matches /node .*server\\.js/',
    });
  });

  it('waits, is found when it starts, and counts generations over restarts', () => {
    const { collector, step, events, value } = begin([api]);
    step();
    expect(value('api/rss_bytes')).toBeNaN();
    fake.process({ pid: 70, command: ['node', 'server.js'], startTicks: 500, rssPages: 3 });
    step(6_000);
    step();
    expect(collector.state('api')).toMatchObject({ state: 'running', pid: 70, generation: 1 });
    fake.remove(70);
    fake.process({ pid: 71, command: ['node', 'server.js'], startTicks: 900 });
    step();
    step();
    expect(collector.state('api')).toMatchObject({ state: 'running', pid: 71, generation: 2 });
    expect(events.map(({ kind, pid, generation }) => [kind, pid, generation])).toEqual([
      ['found', 70, 1],
      ['gone', 70, 1],
      ['restarted', 71, 2],
    ]);
  });

  it('is found although it was first seen between fork and exec', () => {
    fake.process({ pid: 70, command: ['sh', 'start.sh'], startTicks: 500 });
    const { collector, step } = begin([api]);
    expect(collector.state('api')?.state).toBe('waiting');
    fake.process({ pid: 70, command: ['node', 'server.js'], startTicks: 500 });
    step(6_000);
    expect(collector.state('api')?.pid).toBe(70);
  });

  it('may be found by anything that tests a text', () => {
    fake.process({ pid: 70, command: ['node', 'server.js'], startTicks: 500 });
    const command = { source: '(', test: (text: string) => text.endsWith('server.js') };
    expect(begin([target({ command })]).collector.state('api')?.pid).toBe(70);
  });
});

describe('a target by pid', () => {
  it('is not taken for another program under its recycled pid', () => {
    fake.process({ pid: 70, command: ['node', 'server.js'], startTicks: 5 });
    const { collector, step } = begin([byPid('api', 70)]);
    fake.process({ pid: 70, command: ['rm', '-rf'], startTicks: 9_000 });
    step();
    step(60_000);
    expect(collector.state('api')).toMatchObject({
      state: 'gone',
      generation: 1,
      reason: 'pid 70 now belongs to another program',
    });
    expect(collector.identify('api')).toBeNull();
  });

  it('runs again when the same program came back under the same pid', () => {
    fake.process({ pid: 70, command: ['node', 'server.js'], startTicks: 5 });
    const { collector, step } = begin([byPid('api', 70)]);
    fake.process({ pid: 70, command: ['node', 'server.js'], startTicks: 9_000 });
    step();
    step(60_000);
    expect(collector.state('api')).toMatchObject({ state: 'running', generation: 2 });
  });

  it('tries less and less often, and still notices', () => {
    const { collector, step } = begin([byPid('api', 70)]);
    expect(collector.state('api')?.reason).toBe('there is no process 70');
    for (let i = 0; i < 100; i++) step();
    fake.process({ pid: 70 });
    step(9_999);
    step(1);
    expect(collector.state('api')?.state).toBe('running');
  });
});

describe('the other ways to match', () => {
  it('reads a pid file, and says what is wrong with it', async () => {
    const { pid } = await start('sleep', ['1000']);
    const pidFile = `${fake.root}/api.pid`;
    const { collector, step } = begin([target({ pidFile })], '/proc');
    expect(collector.state('api')?.reason).toContain('ENOENT');
    fake.write('api.pid', 'not a pid');
    step(60_000);
    expect(collector.state('api')?.reason).toContain('does not hold a pid');
    fake.write('api.pid', `${pid}\n`);
    step(60_000);
    expect(collector.state('api')?.pid).toBe(pid);
  });

  it('takes a pid from nothing but a short file, and from that as soon as it is there', async () => {
    const { pid } = await start('sleep', ['1000']);
    const pidFile = `${fake.root}/api.pid`;
    execFileSync('mkfifo', [pidFile]);
    const writer = await feed(pidFile, `${pid}\n`);
    const { collector, step } = begin([target({ pidFile })], '/proc');
    const reasonNow = () => {
      step(60_000);
      return collector.state('api')?.reason;
    };
    const says = (problem: string): string => `the pid file ${pidFile}: ${problem}`;
    expect(reasonNow()).toBe(says('it is a named pipe, not a file'));
    await writer.end();
    fs.rmSync(pidFile);
    fs.mkdirSync(pidFile);
    expect(reasonNow()).toBe(says('it is a directory, not a file'));
    fs.rmdirSync(pidFile);
    fs.symlinkSync('/dev/zero', pidFile);
    expect(reasonNow()).toBe(says('it is a device, not a file'));
    fs.rmSync(pidFile);
    fake.write('api.pid', `${pid}${' '.repeat(300)}`);
    expect(reasonNow()).toBe(says('it is longer than 256 bytes'));
    fake.write('api.pid', `${pid}\n`);
    expect(reasonNow()).toBeNull();
    expect(collector.state('api')).toMatchObject({ state: 'running', pid });
  });

  it('finds who listens on a port', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { collector } = begin([target({ port }, false)], '/proc');
    expect(collector.state('api')?.pid).toBe(process.pid);
    server.close();
    await once(server, 'close');
  });

  it('finds a systemd unit and everything in it', () => {
    fake.write('cgroup/cgroup.controllers', 'memory\n');
    fake.process({ pid: 20, startTicks: 2, cgroup: '/system.slice/nginx.service' });
    fake.process({ pid: 21, startTicks: 9, cgroup: '/system.slice/nginx.service' });
    fake.process({ pid: 22, startTicks: 1, cgroup: '/system.slice/not-nginx.service' });
    const { collector, step } = begin([target({ unit: 'nginx' }, false)]);
    step();
    step();
    expect(collector.state('api')?.pid).toBe(20);
    expect([...collector.processes('api')].sort()).toEqual([20, 21]);
  });

  it('finds the processes of a cgroup', () => {
    fake.write('cgroup/cgroup.controllers', 'memory\n');
    fake.write('cgroup/app/cgroup.procs', '31\n30\n');
    fake.process({ pid: 30, startTicks: 2 });
    fake.process({ pid: 31, startTicks: 9 });
    const { collector, step } = begin([target({ cgroup: '/app' }, false)]);
    step();
    step();
    expect(collector.state('api')?.pid).toBe(30);
    expect([...collector.processes('api')].sort()).toEqual([30, 31]);
    fake.write('cgroup/app/cgroup.procs', '');
    fake.remove(30);
    step();
    step(60_000);
    expect(collector.state('api')).toMatchObject({
      state: 'gone',
      reason: 'the cgroup /app is empty',
    });
  });
});

describe('a target by cgroup', () => {
  const outside = 'there is no cgroup PATH: write its path without ".."';

  it.each([
    ['/../outside'],
    ['../outside'],
    ['/app/../../outside'],
    ['/app/..'],
    ['CGROUP/../outside'],
  ])('does not leave the mount by %s', (written) => {
    fake.write('cgroup/cgroup.controllers', 'memory\n');
    fake.write('cgroup/cgroup.procs', '30\n');
    fake.write('cgroup/app/cgroup.procs', '30\n');
    fake.write('outside/cgroup.procs', '30\n');
    fake.process({ pid: 30 });
    const cgroup = written.replace('CGROUP', fake.cgroupRoot);
    const { collector, step } = begin([target({ cgroup }, false)]);
    step(60_000);
    expect(collector.state('api')).toMatchObject({
      state: 'waiting',
      reason: outside.replace('PATH', cgroup),
    });
  });

  it('may be named with two dots', () => {
    fake.write('cgroup/cgroup.controllers', 'memory\n');
    fake.write('cgroup/..app/v1..2/cgroup.procs', '30\n');
    fake.process({ pid: 30 });
    const { collector } = begin([target({ cgroup: '/..app/v1..2' }, false)]);
    expect(collector.state('api')?.pid).toBe(30);
  });

  it('is not read from a named pipe', async () => {
    fake.write('cgroup/cgroup.controllers', 'memory\n');
    fs.mkdirSync(`${fake.cgroupRoot}/app`);
    const members = `${fake.cgroupRoot}/app/cgroup.procs`;
    execFileSync('mkfifo', [members]);
    await feed(members, '30\n');
    fake.process({ pid: 30 });
    const { collector } = begin([target({ cgroup: '/app' }, false)]);
    expect(collector.state('api')?.reason).toBe('the cgroup /app: it is a named pipe, not a file');
  });
});

describe('a child that is born later', () => {
  it('is in the sums of the next tick, although neither it nor its parent changes', () => {
    fake.process({ pid: 70, rssPages: 5, threads: 2 });
    const { step, tick, value } = begin([byPid('api', 70)]);
    step();
    step();
    fake.process({ pid: 71, ppid: 70, rssPages: 7 });
    fake.process({ pid: 72, ppid: 71, rssPages: 11, threads: 3 });
    step(6_000);
    tick();
    expect(value('api/processes')).toBe(3);
    expect(value('api/rss_bytes')).toBe(23 * 4_096);
    expect(value('api/threads')).toBe(6);
  });

  it('leaves its CPU time to the sum when it ends', () => {
    fake.process({ pid: 70, cpuTicks: 10 });
    fake.process({ pid: 71, ppid: 70, cpuTicks: 5 });
    const { step, tick, value } = begin([byPid('api', 70)]);
    step();
    tick();
    expect(value('api/cpu_ms')).toBe(150);
    fake.remove(71);
    tick();
    expect(value('api/processes')).toBe(1);
    expect(value('api/cpu_ms')).toBe(150);
  });
});

describe('a damaged /proc', () => {
  it('says unknown with the reason, never zero, and recovers', () => {
    fake.process({ pid: 70, rssPages: 5 });
    const { step, value, collector, nowMs } = begin([byPid('api', 70)]);
    step();
    step();
    expect(value('api/rss_bytes')).toBe(5 * 4096);
    fake.write('proc/70/stat', 'garbage');
    step();
    expect(value('api/rss_bytes')).toBeNaN();
    expect(collector.state('api')?.state).toBe('running');
    expect(collector.read('api', nowMs).unknown).toContainEqual({
      metric: 'process.rss_bytes',
      reason: 'it cannot be read (not a stat line)',
    });
    fake.process({ pid: 70, rssPages: 6 });
    step();
    expect(value('api/rss_bytes')).toBe(6 * 4096);
  });

  it('says which slow figures are missing', () => {
    fake.process({ pid: 70 });
    fake.write('proc/70/status', 'nothing here\n');
    fake.write('proc/70/smaps_rollup', 'nor here\n');
    const { step, value, collector, nowMs } = begin([byPid('api', 70)]);
    step();
    step();
    expect(value('api/swap_bytes')).toBeNaN();
    expect(value('api/pss_bytes')).toBeNaN();
    expect(collector.read('api', nowMs).unknown).toEqual(
      expect.arrayContaining([
        { metric: 'process.swap_bytes', reason: 'status does not say' },
        { metric: 'process.pss_bytes', reason: 'smaps_rollup does not say' },
      ]),
    );
  });

  it('does without PSI, and with a meminfo that says nothing', () => {
    fake.write('proc/pressure/memory', '');
    fake.write('proc/meminfo', '');
    const { step, value, collector, nowMs } = begin([]);
    step();
    expect(value('system/available_bytes')).toBeNaN();
    expect(value('system/psi_some_avg10_x100')).toBeNaN();
    expect(collector.read('system', nowMs).unknown).toEqual(
      expect.arrayContaining([
        { metric: 'system.available_bytes', reason: `${fake.procRoot}/meminfo does not say` },
        { metric: 'system.psi.some_avg10', reason: 'kernel without PSI' },
      ]),
    );
  });

  it('reads PSI and vmstat as integers', () => {
    const { tick, value } = begin([]);
    tick();
    expect(value('system/psi_some_avg10_x100')).toBe(125);
    expect(value('system/psi_full_avg10_x100')).toBe(50);
    expect(value('system/swap_in_pages')).toBe(7);
    expect(value('system/oom_kills')).toBe(2);
    expect(value('system/used_bytes')).toBe(2_000 * 1_024);
    expect(value('system/swap_used_bytes')).toBe(60 * 1_024);
  });
});

describe('PSS', () => {
  it('scales with RSS between two readings, and is not read again before its time', () => {
    fake.process({ pid: 70, rssPages: 2 });
    const { step, value } = begin([byPid('api', 70)]);
    step();
    step();
    expect(value('api/pss_bytes')).toBe(4_096);
    fake.process({ pid: 70, rssPages: 200 });
    fake.write('proc/70/smaps_rollup', 'Rss: 800 kB\nPss: 800 kB\n');
    step();
    expect(value('api/pss_bytes')).toBe(400 * 1_024);
    step(30_000);
    step();
    expect(value('api/pss_bytes')).toBe(800 * 1_024);
  });

  it('rests while RSS moves by less than 1 %', () => {
    fake.process({ pid: 70, rssPages: 1_000 });
    fake.write('proc/70/smaps_rollup', 'Rss: 4000 kB\nPss: 2000 kB\n');
    const { step, value } = begin([byPid('api', 70)]);
    const pssAt = (rssPages: number) => {
      fake.process({ pid: 70, rssPages });
      fake.write('proc/70/smaps_rollup', 'Rss: 4000 kB\nPss: 2000 kB\n');
      step();
      return value('api/pss_bytes') / 1_024;
    };
    step();
    expect([1_000, 1_009, 991, 1_020, 1_015].map(pssAt)).toEqual([
      2_000, 2_000, 2_000, 2_040, 2_040,
    ]);
  });

  it('is read a tenth as often while RSS stands still', () => {
    fake.process({ pid: 70, rssPages: 2 });
    const { step, value } = begin([byPid('api', 70)]);
    step();
    fake.write('proc/70/smaps_rollup', 'Rss: 8 kB\nPss: 8 kB\n');
    for (let interval = 1; interval < 10; interval++) step(30_000);
    expect(value('api/pss_bytes')).toBe(4_096);
    step(30_000);
    step();
    expect(value('api/pss_bytes')).toBe(8_192);
  });

  it('is left alone for a process that it would stall', () => {
    fake.process({ pid: 70, rssPages: 2 ** 22 });
    const { step, value, collector, nowMs } = begin([byPid('api', 70)]);
    step(1_000, 4);
    step(1_000, 4);
    expect(value('api/pss_bytes')).toBeNaN();
    const pss = collector
      .read('api', nowMs)
      .unknown.find(({ metric }) => metric === 'process.pss_bytes');
    expect(pss?.reason).toBe('reading it would stall the process for about 208 ms');
  });
});

describe('the slow figures', () => {
  it('are read again as soon as RSS has moved', () => {
    fake.process({ pid: 70, rssPages: 2 });
    const { step, value } = begin([byPid('api', 70)]);
    step();
    fake.process({ pid: 70, rssPages: 3, swapKib: 40 });
    step(30_000);
    step();
    expect(value('api/swap_bytes')).toBe(40 * 1_024);
  });

  it('are read at every tenth pass while RSS stands still', () => {
    fake.process({ pid: 70, rssPages: 2 });
    const { step, value } = begin([byPid('api', 70)]);
    step();
    fake.write('proc/70/status', 'VmHWM:\t  100 kB\nVmSwap:\t  40 kB\n');
    for (let pass = 1; pass < 10; pass++) step(30_000);
    expect(value('api/swap_bytes')).toBe(0);
    step(30_000);
    step();
    expect(value('api/swap_bytes')).toBe(40 * 1_024);
  });

  it('are read at each pass while one of them is unknown', () => {
    fake.process({ pid: 70, rssPages: 2 });
    fake.write('proc/70/status', 'nothing here\n');
    const { step, value } = begin([byPid('api', 70)]);
    step();
    expect(value('api/swap_bytes')).toBeNaN();
    fake.write('proc/70/status', 'VmHWM:\t  100 kB\nVmSwap:\t  40 kB\n');
    step(30_000);
    step();
    expect(value('api/swap_bytes')).toBe(40 * 1_024);
  });

  it('come with the title and the cgroup: at first each time, later every fourth', () => {
    const group = (name: string) => {
      fake.write(`cgroup/memory.max`, 'max\n');
      fake.write(`cgroup/${name}/memory.current`, '4096\n');
      fake.write(`cgroup/${name}/memory.stat`, 'inactive_file 0\n');
      fake.write(`cgroup/${name}/memory.max`, 'max\n');
    };
    group('a');
    group('b');
    const named = (title: string, cgroup: string) =>
      fake.process({ pid: 70, command: [title], cgroup });
    named('boot', '/a');
    const { step, collector } = begin([byPid('api', 70)]);
    named('ready', '/a');
    step(30_000);
    expect(collector.state('api')?.command).toBe('ready');
    for (let pass = 0; pass < 4; pass++) step(30_000);
    named('busy', '/b');
    for (let pass = 0; pass < 4; pass++) step(30_000);
    expect(collector.state('api')?.command).toBe('busy');
    expect(collector.cgroupDir('api')).toBe(`${fake.cgroupRoot}/b`);
  });
});
