import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endPrograms, eventually } from './program.ts';
import { createScratch, memwarden, type Scratch, type Service, startService } from './service.ts';

let scratch: Scratch;
let cwd: string;
beforeEach(() => {
  scratch = createScratch();
  cwd = scratch.dir;
});
afterEach(async () => {
  await endPrograms();
  scratch.remove();
});

interface History {
  t: string[];
  series: { rss_bytes: number[] };
}

const ROUTES = [
  '/internal/memory/status',
  '/internal/memory/metrics',
  '/internal/memory/history',
  '/internal/memory/alerts',
  '/internal/memory/targets',
  '/metrics',
  '/health/live',
  '/health/ready',
  '/sd/prometheus',
  '/openapi.json',
  '/docs',
  '/',
];

describe('a start with no configuration, in an empty directory', () => {
  it('says one line to a person, and the rest as JSON on stderr', async () => {
    const service = await startService({ cwd });
    await service.get('/internal/memory/status');
    await service.end();
    expect(service.stdout.all).toHaveLength(1);
    for (const path of ['/internal/memory/status', '/docs', '/metrics']) {
      expect(service.stdout.all[0]).toContain(service.url + path);
    }
    for (const line of service.stderr.all) expect(JSON.parse(line)).toHaveProperty('msg');
    expect(service.stderr.all.join()).not.toContain('Warning');
  });

  it('says no more to a person when there are targets and notes', async () => {
    const targets = Array.from(
      { length: 20 },
      (_, i) => `  - { name: app-${i}, match: { pid: ${process.pid} } }\n`,
    );
    const policy = `ledger: {}\ntargets:\n${targets.join('')}`;
    const service = await startService({ cwd, policy });
    await service.get('/internal/memory/status');
    await service.end();
    expect(service.stdout.all).toEqual([expect.stringContaining('app-0, app-1, ')]);
    const lines = service.stderr.all.map((line) => JSON.parse(line));
    expect(lines.filter(({ kind }) => kind === 'found')).toHaveLength(21);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'ledger: not available yet' }));
  });

  it('answers on every route', async () => {
    const service = await startService({ cwd });
    for (const path of ROUTES) {
      const response = await service.fetch(path);
      await response.arrayBuffer();
      expect(response.status, path).toBe(200);
    }
    const run = await service.post('/internal/memory/cleanup');
    expect(run).toMatchObject({ level: 'emergency', dry_run: false });
    expect(await service.post('/cleanup', { dry_run: true })).toMatchObject({ dry_run: true });
  });

  it('keeps its data in ./data and leaves nothing else behind', async () => {
    const service = await startService({ cwd, dataDir: 'data' });
    expect(existsSync(join(cwd, 'data/memwarden.db'))).toBe(true);
    await service.end();
    expect(existsSync(join(cwd, 'data/memwarden.pid'))).toBe(false);
  });
});

describe('a service that nobody listens to', () => {
  it('goes on, and ends in order', async () => {
    const service = await startService({ cwd });
    service.hangUp();
    for (const attempt of ['first', 'second']) {
      expect(await service.post('/internal/memory/cleanup'), attempt).toHaveProperty('id');
    }
    expect(await service.end()).toEqual({ code: 0, signal: null });
  });
});

describe('an end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s is orderly and writes history', async (signal) => {
    const policy = 'sampling: { interval: 100ms }\nhistory: { flush: 10m }\n';
    const service = await startService({ cwd, policy });
    await eventually(service.status, ({ self }) => self.samples >= 5);
    const { history } = await service.status();
    const beganMs = performance.now();
    expect(await service.end(signal)).toEqual({ code: 0, signal: null });
    expect(performance.now() - beganMs).toBeLessThan(5_000);

    const next = await startService({ cwd, policy });
    const back = await next.get<History>('/internal/memory/history?target=self&series=rss_bytes');
    expect(back.t.filter((time) => time <= String(history.to)).length).toBeGreaterThanOrEqual(5);
  });

  it('does not wait for a client that only listens', async () => {
    const service = await startService({ cwd });
    const stream = await service.fetch('/internal/memory/stream');
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    const beganMs = performance.now();
    expect(await service.end()).toEqual({ code: 0, signal: null });
    expect(performance.now() - beganMs).toBeLessThan(5_000);
    // Cut or ended: either way the client is not left hanging.
    await stream.text().catch(() => '');
  });

  describe('while a cleaner hangs', () => {
    const hook = createServer();
    afterEach(() => hook.close());

    /** A service in whose cleanup a call to an application is never answered. */
    async function startHanging(): Promise<Service> {
      hook.listen(0, '127.0.0.1');
      await once(hook, 'listening');
      const { port } = hook.address() as { port: number };
      const service = await startService({
        cwd,
        policy: `history: { flush: 10m }
targets:
  - name: me
    match: { pid: ${process.pid} }
    cleaners: [{ name: hangs, level: gentle, timeout: 10m, http: { url: "http://127.0.0.1:${port}/" } }]
`,
      });
      const called = once(hook, 'connection');
      // Its answer is cut off by the end of the service.
      service.post('/internal/memory/cleanup').catch(() => {});
      await called;
      return service;
    }

    it('is orderly all the same, in 5 s, and writes history', async () => {
      const service = await startHanging();
      const { timestamp } = await service.status();
      const beganMs = performance.now();
      expect(await service.end()).toEqual({ code: 0, signal: null });
      expect(performance.now() - beganMs).toBeLessThan(5_000);
      const next = await startService({ cwd });
      const { t } = await next.get<History>('/internal/memory/history?target=self');
      expect(t).toContain(timestamp);
    });

    it('comes at once with a second signal, and is a failure then', async () => {
      const service = await startHanging();
      process.kill(service.pid, 'SIGTERM');
      await service.logged(({ msg }) => msg === 'shutting down');
      const beganMs = performance.now();
      expect(await service.end('SIGTERM')).toEqual({ code: 1, signal: null });
      expect(performance.now() - beganMs).toBeLessThan(2_000);
    });
  });
});

/** A zombie that awaits init counts as gone. */
const isAlive = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
};

it('ends the commands that run when a second signal ends it at once', async () => {
  const pidFile = join(cwd, 'command.pid');
  const script = `echo $$ > ${pidFile}; trap "" TERM; exec sleep 300`;
  const service = await startService({
    cwd,
    policy: `targets: [{ name: me, match: { self: true }, cleaners: [{ name: stubborn, level: gentle, timeout: 60s, command: ["sh", "-c", ${JSON.stringify(script)}] }] }]\n`,
  });
  const cut = service.post('/cleanup', { level: 'gentle' }).catch(() => 'cut');
  await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8')).toMatch(/^\d+\n$/);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  process.kill(service.pid, 'SIGTERM');
  await service.logged(({ msg }) => msg === 'shutting down');
  expect(await service.end('SIGTERM')).toEqual({ code: 1, signal: null });
  await expect.poll(() => isAlive(pid)).toBe(false);
  expect(await cut).toBe('cut');
});

describe('SIGHUP', () => {
  const policyOf = (name: string): string =>
    `thresholds: [{ name: ${name}, metric_key: process_memory_mb, comparison: greater_than, threshold_value: 9999 }]\n`;
  const rulesOf = (status: { thresholds: { name: string }[] }): string[] => [
    ...new Set(status.thresholds.map(({ name }) => name)),
  ];

  it('takes a good policy and refuses a bad one', async () => {
    const service = await startService({ cwd, policy: policyOf('Before') });
    expect(rulesOf(await service.status())).toEqual(['Before']);

    writeFileSync(join(cwd, 'memory_policy.yaml'), policyOf('After'));
    process.kill(service.pid, 'SIGHUP');
    await service.logged(({ msg }) => msg === 'policy reloaded');
    expect(rulesOf(await service.status())).toEqual(['After']);

    writeFileSync(join(cwd, 'memory_policy.yaml'), 'thresholdz: []\n');
    process.kill(service.pid, 'SIGHUP');
    const refusal = await service.logged(({ level }) => level === 50);
    expect(refusal.msg).toContain('the running one stays');
    const { stdout } = await memwarden(['check-config'], { cwd });
    expect(stdout).toContain('memory_policy.yaml:1: thresholdz: expected one of');
    expect(refusal.problems).toEqual(stdout.split('\n'));
    expect(refusal).not.toHaveProperty('err');
    expect(service.stderr.all.join()).not.toContain('    at ');
    expect(rulesOf(await service.status())).toEqual(['After']);
  });
});

describe('a start that is refused', () => {
  it('exits with 1 when the port is taken, and says what to do', async () => {
    const { url } = await startService({ cwd });
    const port = new URL(url).port;
    const { code, stdout, stderr } = await memwarden(['--port', port, '--data-dir', 'other'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.split('\n').at(-1)).toBe(
      `memwarden: Port ${port} on 127.0.0.1 is taken. Stop what listens there, or choose another: --port N.`,
    );
    // nothing was sampled, so that no rule has acted for a service that does not serve
    expect(existsSync(join(cwd, 'other'))).toBe(false);
  });

  it('exits with 78 for a bad policy, and names file, line and key', async () => {
    scratch.file('memory_policy.yaml', 'sampling:\n  interval: 1s\n  intervall: 2s\n');
    const { code, stderr } = await memwarden(['serve', '--port', '0'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toContain('memory_policy.yaml:3: sampling.intervall');
  });

  it('exits with 78 for a policy that is named and not there', async () => {
    const { code, stderr } = await memwarden(['--config', 'nope.yaml'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toBe('memwarden: nope.yaml: cannot be read: there is no such file');
  });

  it('exits with 78 for a log level that is none', async () => {
    const { code, stderr } = await memwarden([], { cwd, env: { LOG_LEVEL: 'loud' } });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^memwarden: environment: LOG_LEVEL: expected one of trace, .*"loud"$/);
  });

  it.each([
    ['a file', 'file', 'file'],
    ['below a file', 'file/below', 'file'],
    ['a directory in place of the database', 'odd', 'odd/memwarden.db'],
    ['where nothing can be made', '/proc/memwarden', '/proc/memwarden'],
  ])('exits with 1 when data_dir is %s', async (_what, dataDir, named) => {
    scratch.file('file', '');
    mkdirSync(join(cwd, 'odd/memwarden.db'), { recursive: true });
    const { code, stdout, stderr } = await memwarden(['--port', '0', '--data-dir', dataDir], {
      cwd,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^memwarden: \S+ cannot be used for data: .*choose another directory/);
    expect(stderr).toContain(`${named} cannot`);
  });

  it.each([
    ['an empty one', '""'],
    ['one with a NUL', '"a\\0b"'],
  ])('exits with 78 when data_dir is %s', async (_what, text) => {
    scratch.file('memory_policy.yaml', `data_dir: ${text}\n`);
    const { code, stderr } = await memwarden(['--port', '0'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^memwarden: memory_policy.yaml:1: data_dir: expected a [^\n]+$/);
  });

  it('exits with 78 when it would listen to the world without a token', async () => {
    const { code, stderr } = await memwarden(['--host', '0.0.0.0', '--port', '0'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toContain('MEMWARDEN_TOKEN');
    expect(existsSync(join(cwd, 'data'))).toBe(false);
  });

  it.each([
    ['an option that does not exist', ['serve', '--prot', '1']],
    ['an option without its value', ['serve', '--port']],
    ['a word that has no place', ['serve', 'now']],
    ['a command that does not exist', ['srve']],
    ['a name that every object has', ['constructor']],
  ])('exits with 2 for %s', async (_what, args) => {
    const { code, stdout, stderr } = await memwarden(args, { cwd });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^memwarden: /);
    expect(stderr.split('\n').filter((line) => line.startsWith('    at '))).toEqual([]);
  });
});
