import fs from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeProc, type FakeProc } from '../fake-proc.ts';
import { endAll, start } from '../processes.ts';
import { byPid, type Watch, watch } from '../watch.ts';

const MIB = 2 ** 20;
const V1_ROOT = '/sys/fs/cgroup/memory';
const canMakeV1 = process.getuid?.() === 0 && fs.existsSync(`${V1_ROOT}/memory.limit_in_bytes`);

let watching: Watch | undefined;
const begin = (...options: Parameters<typeof watch>): Watch => {
  watching = watch(...options);
  return watching;
};
let cleanUp: (() => void)[] = [];
afterEach(async () => {
  watching?.collector.close();
  watching = undefined;
  await endAll();
  for (const each of cleanUp.reverse()) each();
  cleanUp = [];
});

/** A cgroup of our own, removed when its processes have ended. */
const makeV1 = (name: string, limitBytes?: number): string => {
  const directory = `${V1_ROOT}/${name}`;
  fs.mkdirSync(directory);
  cleanUp.push(() => fs.rmdirSync(directory));
  if (limitBytes) fs.writeFileSync(`${directory}/memory.limit_in_bytes`, String(limitBytes));
  return directory;
};

/** Our descriptors on files below a directory; the one that lists them is closed again by then. */
const heldBelow = (directory: string): number =>
  fs.readdirSync('/proc/self/fd').filter((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return fs.existsSync(link) && fs.readlinkSync(link).startsWith(directory);
  }).length;

describe.runIf(canMakeV1)('cgroup v1, the real one', () => {
  const own = `memwarden-test-${process.pid}`;

  it('is read with every ancestor that has a limit', async () => {
    makeV1(own, 64 * MIB);
    const directory = makeV1(`${own}/child`);
    const { pid } = await start('sleep', ['1000']);
    fs.writeFileSync(`${directory}/cgroup.procs`, String(pid));
    const { collector, step, tick, value, nowMs } = begin([byPid('api', pid)]);
    step();
    tick();
    expect(collector.cgroupDir('api')).toBe(directory);
    expect(value('api/cgroup_usage_bytes')).toBeGreaterThanOrEqual(0);
    expect(value('api/cgroup_working_set_bytes')).toBeLessThanOrEqual(
      value('api/cgroup_usage_bytes'),
    );
    const { cgroup } = collector.read('api', nowMs);
    expect(cgroup).toMatchObject({
      version: 1,
      path: `/${own}/child`,
      limitBytes: Infinity,
      oomKills: 0,
    });
    expect(cgroup?.levels.map(({ path, limitBytes }) => [path, limitBytes])).toEqual([
      [`/${own}/child`, Infinity],
      [`/${own}`, 64 * MIB],
      ['/', Infinity],
    ]);
    const cgroupLimits = collector.limitInputs('api').filter(({ kind }) => kind === 'cgroup');
    expect(cgroupLimits).toMatchObject([{ name: `/${own}`, limitBytes: 64 * MIB }]);
  });

  it('follows a limit that is changed and a process that is moved', async () => {
    const first = makeV1(`${own}-1`, 64 * MIB);
    const second = makeV1(`${own}-2`, 32 * MIB);
    const { pid } = await start('sleep', ['1000']);
    fs.writeFileSync(`${first}/cgroup.procs`, String(pid));
    const { collector, step } = begin([byPid('api', pid)]);
    step();
    const limits = (): [string, number][] =>
      collector
        .limitInputs('api')
        .filter(({ kind }) => kind === 'cgroup')
        .map(({ name, limitBytes }) => [name, limitBytes]);
    fs.writeFileSync(`${first}/memory.limit_in_bytes`, String(48 * MIB));
    step(30_000);
    expect(limits()).toEqual([[`/${own}-1`, 48 * MIB]]);
    fs.writeFileSync(`${second}/cgroup.procs`, String(pid));
    step(30_000);
    expect(limits()).toEqual([[`/${own}-2`, 32 * MIB]]);
  });

  it('knows the limit of an ancestor that is not mounted here', async () => {
    const parent = makeV1(own, 64 * MIB);
    const directory = makeV1(`${own}/child`);
    const { pid } = await start('sleep', ['1000']);
    fs.writeFileSync(`${directory}/cgroup.procs`, String(pid));
    const fake = createFakeProc();
    cleanUp.push(() => fake.close());
    fake.process({ pid });
    fake.write(`proc/${pid}/cgroup`, `4:memory:/${own}/child\n`);
    // as a container sees it: the mount begins at its own cgroup
    fake.write(
      'proc/self/mountinfo',
      `35 31 0:32 /${own}/child ${parent}/child rw - cgroup cgroup rw,memory\n`,
    );
    const { collector, step } = begin([byPid('api', pid)], { procRoot: fake.procRoot });
    step();
    const hidden = collector.limitInputs('api').find(({ kind }) => kind === 'cgroup');
    expect(hidden).toMatchObject({ name: '(an ancestor)', limitBytes: 64 * MIB });
  });
});

describe('cgroup v2', () => {
  const makeV2 = (fake: FakeProc, path: string, limit: string): void => {
    fake.write(`cgroup${path}/memory.current`, `${100 * MIB}\n`);
    fake.write(`cgroup${path}/memory.max`, `${limit}\n`);
    fake.write(`cgroup${path}/memory.high`, `${MIB}\n`);
    fake.write(
      `cgroup${path}/memory.stat`,
      `anon 1\nfile 2\ninactive_anon 5\ninactive_file ${30 * MIB}\n`,
    );
    fake.write(
      `cgroup${path}/memory.events`,
      'low 0\nhigh 9\nmax 1\noom 1\noom_kill 4\noom_group_kill 0\n',
    );
  };
  const makeFake = (): FakeProc => {
    const fake = createFakeProc();
    cleanUp.push(() => fake.close());
    fake.write('cgroup/cgroup.controllers', 'cpu memory\n');
    fake.process({ pid: 70, cgroup: '/pods/a' });
    makeV2(fake, '/pods', String(400 * MIB));
    makeV2(fake, '/pods/a', 'max');
    return fake;
  };

  it('is read with its ancestors; memory.high is no limit and the root has none', () => {
    const { procRoot, cgroupRoot } = makeFake();
    const { collector, step, tick, value, nowMs } = begin([byPid('api', 70)], {
      procRoot,
      cgroupRoot,
    });
    step();
    tick();
    expect(value('api/cgroup_usage_bytes')).toBe(100 * MIB);
    expect(value('api/cgroup_working_set_bytes')).toBe(70 * MIB);
    expect(collector.read('api', nowMs).cgroup).toEqual({
      version: 2,
      path: '/pods/a',
      usageBytes: 100 * MIB,
      workingSetBytes: 70 * MIB,
      limitBytes: Infinity,
      oomKills: 4,
      levels: [
        { path: '/pods/a', usageBytes: 100 * MIB, workingSetBytes: 70 * MIB, limitBytes: Infinity },
        { path: '/pods', usageBytes: 100 * MIB, workingSetBytes: 70 * MIB, limitBytes: 400 * MIB },
      ],
    });
    const { system } = collector.read('system', nowMs);
    expect(collector.limitInputs('api')).toEqual([
      { kind: 'cgroup', name: '/pods', limitBytes: 400 * MIB, usageBytes: 70 * MIB },
      { kind: 'host', name: 'host', limitBytes: system.totalBytes, usageBytes: 2_000 * 1_024 },
    ]);
  });

  it('is unknown with the reason when the controller is off or the cgroup vanished', () => {
    const fake = makeFake();
    fake.process({ pid: 71, cgroup: '/elsewhere' });
    const { procRoot, cgroupRoot } = fake;
    const { collector, step, tick, value, nowMs } = begin([byPid('api', 70), byPid('b', 71)], {
      procRoot,
      cgroupRoot,
    });
    step();
    const { cgroup, unknown } = collector.read('b', nowMs);
    expect(cgroup).toBeNull();
    expect(collector.cgroupDir('b')).toBeNull();
    expect(unknown).toContainEqual({
      metric: 'cgroup',
      reason: 'the cgroup /elsewhere does not account memory',
    });
    // who holds the files open gets nothing more from them, as with the kernel's
    fake.write('cgroup/pods/a/memory.current', '');
    fs.rmSync(`${cgroupRoot}/pods/a`, { recursive: true });
    step(60_000);
    tick();
    expect(value('api/cgroup_usage_bytes')).toBeNaN();
  });

  it('reads a cgroup that many targets share once, and closes it with the last of them', () => {
    const fake = makeFake();
    const pids = Array.from({ length: 50 }, (_, i) => 100 + i);
    for (const pid of pids) fake.process({ pid, cgroup: '/pods/a' });
    const { procRoot, cgroupRoot } = fake;
    const openFiles = (): number => heldBelow(cgroupRoot);
    const { collector, step } = begin(
      pids.map((pid) => byPid(`t${pid}`, pid)),
      { procRoot, cgroupRoot },
    );
    step();
    expect(openFiles()).toBe(4);
    collector.setTargets([byPid('t100', 100)]);
    expect(openFiles()).toBe(4);
    collector.setTargets([]);
    expect(openFiles()).toBe(0);
  });
});
