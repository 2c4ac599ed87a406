import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endPrograms, eventually, type Outcome, start } from './program.ts';
import {
  createScratch,
  memwarden,
  ROOT,
  type Scratch,
  type Service,
  startService,
} from './service.ts';

const COMMANDS = ['serve', 'status', 'metrics', 'cleanup', 'history', 'check-config', 'init'];
const TOKEN = 'correct-horse';

let scratch: Scratch;
let service: Service;
const cli = (...args: string[]): Promise<Outcome> =>
  memwarden(args, { cwd: scratch.dir, env: { MEMWARDEN_URL: service.url } });

beforeAll(async () => {
  scratch = createScratch();
  const policy = 'sampling: { interval: 200ms }\nthresholds: []\n';
  service = await startService({ cwd: scratch.dir, policy });
  await eventually(service.status, ({ self, status }) => self.samples >= 3 && status === 'ok');
});
afterAll(async () => {
  await endPrograms();
  scratch.remove();
});

describe('help', () => {
  it('names every command and every exit code', async () => {
    const { code, stdout, stderr } = await cli('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
    for (const exit of [0, 1, 2, 3, 69, 78]) expect(stdout).toContain(`${exit} `);
  });

  it.each(COMMANDS)('of %s names its usage and each option', async (name) => {
    const { code, stdout } = await cli(name, '--help');
    expect(code).toBe(0);
    const [usage = '', ...rest] = stdout.split('\n');
    expect(usage).toContain(`usage: memwarden ${name}`);
    const options = usage.match(/--[a-z-]+/g) ?? [];
    for (const option of options) expect(rest.join('\n')).toContain(option);
  });

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(await cli('--version')).toMatchObject({ code: 0, stdout: version, stderr: '' });
  });
});

describe('status', () => {
  it('is a report for people', async () => {
    const { code, stdout, stderr } = await cli('status');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^self holds .*No alert\.$/m);
    expect(stdout).toMatch(/^status +OK {2}20\d\d-/m);
    for (const row of ['memory', 'trend', 'limit', 'pressure', 'target', 'self']) {
      expect(stdout).toMatch(new RegExp(`^${row} +\\S`, 'm'));
    }
  });

  it('--json is what the service says', async () => {
    const status = JSON.parse((await cli('status', '--json')).stdout);
    expect(Object.keys(status)).toEqual(Object.keys(await service.status()));
  });

  it('--check is 0 when all is well', async () => {
    expect((await cli('status', '--check')).code).toBe(0);
  });

  it('--check is 3 while an alert fires', async () => {
    const own = createScratch();
    const ailing = await startService({
      cwd: own.dir,
      policy: `sampling: { interval: 200ms }
thresholds: [{ name: Always, metric_key: process_memory_mb, comparison: greater_than, threshold_value: 1 }]
`,
    });
    await eventually(ailing.status, ({ alerts }) => alerts.length > 0);
    const { code, stdout } = await cli('status', '--check', '--url', ailing.url);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^alert +.*Always/m);
    expect((await cli('status', '--url', ailing.url)).code).toBe(0);
    await ailing.end();
    own.remove();
  });

  it('is 1 for a target that does not exist, and names those that do', async () => {
    const { code, stdout, stderr } = await cli('status', '--target', 'nobody');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('There is no target "nobody". Known: self, system.');
  });
});

describe('metrics', () => {
  it('is a line for each figure, and says on stderr what is unknown', async () => {
    const { code, stdout, stderr } = await cli('metrics');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^process\.rss_bytes \d+$/m);
    expect(stdout).toMatch(/^heap_objects unknown$/m);
    expect(stderr).toMatch(/^heap_objects is unknown: ./m);
  });

  it('--json is one reading', async () => {
    const { stdout, stderr } = await cli('metrics', '--json');
    expect(JSON.parse(stdout).process.pid).toBe(service.pid);
    expect(stderr).toBe('');
  });
});

describe('cleanup', () => {
  it('--dry-run says what would be done, and does nothing', async () => {
    const { code, stdout } = await cli('cleanup', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain('emergency cleanup: nothing was done');
  });

  it('--level goes as far as it says', async () => {
    const { stdout } = await cli('cleanup', '--level', 'gentle', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ level: 'gentle', dry_run: false });
  });

  it('is 2 for a level that does not exist', async () => {
    const { code, stdout, stderr } = await cli('cleanup', '--level', 'total');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('level');
  });

  it('is 1 when a cleaner fails, and shows the others all the same', async () => {
    const own = createScratch();
    const failing = await startService({
      cwd: own.dir,
      policy: `targets:
  - name: app
    match: { pid: ${process.pid} }
    cleaners: [{ name: refused, level: gentle, http: { url: "http://127.0.0.1:1/" } }]
`,
    });
    const { code, stdout } = await cli('cleanup', '--url', failing.url);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}failed +refused \(app\).*ECONNREFUSED|bad port/m);
    expect(stdout).toMatch(/^ {2}(ok|skipped) +\S+ \(self\)/m);
    await failing.end();
    own.remove();
  });
});

describe('history', () => {
  it('is CSV', async () => {
    const { code, stdout } = await cli('history', '--series', 'rss_bytes,threads', '--from', '1m');
    expect(code).toBe(0);
    const [header, ...rows] = stdout.split('\n');
    expect(header).toBe('time,rss_bytes,threads');
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,\d*,\d*$/);
  });

  it('of the host needs no name of a series', async () => {
    expect((await cli('history', '--target', 'system')).stdout).toMatch(/^time,used_bytes\n/);
  });

  it('--json is columns', async () => {
    const history = JSON.parse((await cli('history', '--json', '--points', '2')).stdout);
    expect(history.t.length).toBe(history.series.rss_bytes.length);
    expect(history.t.length).toBeLessThanOrEqual(2);
  });

  it('is 2 for a time that is none', async () => {
    expect((await cli('history', '--from', 'yesterday')).code).toBe(2);
  });

  it('ends quietly when its reader has read enough', async () => {
    const main = join(ROOT, 'dist/cli/main.js');
    const pipe = `"${process.execPath}" "${main}" history --json --url ${service.url} | true; echo "\${PIPESTATUS[0]}"`;
    const reader = await start('bash', ['-c', pipe], { cwd: scratch.dir });
    await reader.exit;
    expect({ out: reader.stdout.all, err: reader.stderr.all }).toEqual({ out: ['0'], err: [] });
  });
});

describe('check-config and init', () => {
  it('init writes a policy that check-config finds valid, and never over another', async () => {
    const file = join(scratch.dir, 'mine.yaml');
    expect((await cli('init', file)).code).toBe(0);
    expect(await cli('check-config', file)).toMatchObject({ code: 0, stdout: `${file}: valid` });
    expect((await cli('init', file)).code).toBe(1);
    expect((await cli('init', file, '--yes')).code).toBe(0);
    const told = await cli('init', file, '--yes', '--json');
    expect(JSON.parse(told.stdout)).toEqual({ file });
  });

  it('check-config names each problem, as text and as JSON', async () => {
    const file = scratch.file('bad.yaml', 'sampling: { interval: soon }\nservr: {}\n');
    const text = await cli('check-config', file);
    expect(text.code).toBe(78);
    expect(text.stdout).toContain(`${file}:1: sampling.interval`);
    expect(text.stdout).toContain(`${file}:2: servr`);
    const report = JSON.parse((await cli('check-config', '--json', file)).stdout);
    expect(report).toMatchObject({ valid: false });
    expect(report.problems).toHaveLength(2);
  });

  it.each([
    ['a directory', async (path: string) => mkdirSync(path)],
    ['a named pipe', async (path: string) => void execFileSync('mkfifo', [path])],
    ['a device', async (path: string) => symlinkSync('/dev/zero', path)],
    [
      'a socket',
      async (path: string) => {
        const server = createNetServer().listen(path);
        await once(server, 'listening');
        return () => server.close();
      },
    ],
  ])('check-config and serve refuse %s, and do not wait for it', async (kind, make) => {
    const own = createScratch();
    const path = join(own.dir, 'odd');
    const done = await make(path);
    const told = `${path}: expected a regular file, got ${kind}`;
    expect(await cli('check-config', path)).toMatchObject({ code: 78, stdout: told });
    const serve = await memwarden(['--config', path, '--port', '0'], { cwd: own.dir });
    expect(serve).toMatchObject({ code: 78, stdout: '', stderr: `memwarden: ${told}` });
    done?.();
    own.remove();
  });

  it('check-config reads what is piped to it', async () => {
    const main = join(ROOT, 'dist/cli/main.js');
    const pipe = `echo 'servr: {}' | "${process.execPath}" "${main}" check-config /dev/stdin`;
    const checked = await start('bash', ['-c', pipe], { cwd: scratch.dir });
    expect((await checked.exit).code).toBe(78);
    expect(checked.stdout.all).toEqual([expect.stringContaining('/dev/stdin:1: servr')]);
  });

  it('a pipe that was read to its end is refused, and not taken for an empty policy', async () => {
    const main = join(ROOT, 'dist/cli/main.js');
    const pipe = `true | "${process.execPath}" "${main}" check-config /dev/stdin`;
    const checked = await start('bash', ['-c', pipe], { cwd: scratch.dir });
    expect((await checked.exit).code).toBe(78);
    expect(checked.stdout.all).toEqual([expect.stringContaining('a pipe with nothing in it')]);
  });

  it('a token file that is a named pipe is refused, and not waited for', async () => {
    const own = createScratch();
    const path = join(own.dir, 'token');
    execFileSync('mkfifo', [path]);
    const asked = await memwarden(['status', '--url', 'http://127.0.0.1:1'], {
      cwd: own.dir,
      env: { MEMWARDEN_TOKEN_FILE: path },
    });
    expect(asked.stderr).toContain('MEMWARDEN_TOKEN_FILE: expected a regular file');
    expect(asked.code).toBeGreaterThan(0);
    own.remove();
  });

  it('take one file', async () => {
    expect((await cli('check-config', 'a', 'b')).code).toBe(2);
    expect((await cli('init', 'a', 'b')).code).toBe(2);
  });
});

describe('without an answer', () => {
  it.each(['status', 'metrics', 'cleanup', 'history'])(
    '%s is 69 and says how to start one',
    async (name) => {
      const { code, stdout, stderr } = await cli(name, '--url', 'http://127.0.0.1:9');
      expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
      expect(stderr).toMatch(/^memwarden: No memwarden answers at http:\/\/127\.0\.0\.1:9 .*serve/);
    },
  );

  it('is 69 when something else answers', async () => {
    const other = createServer((_request, response) => response.end('<html>')).listen(0);
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { code, stderr } = await cli('status', '--url', `http://127.0.0.1:${port}`);
    expect(code).toBe(69);
    expect(stderr).toContain('is no memwarden');
    other.close();
  });
});

describe('a token', () => {
  it('comes from the environment or a file, and is asked for', async () => {
    const own = createScratch();
    const file = own.file('token', `${TOKEN}\n`);
    const closed = await startService({ cwd: own.dir, env: { MEMWARDEN_TOKEN: TOKEN } });
    const status = (env: NodeJS.ProcessEnv): Promise<Outcome> =>
      memwarden(['status', '--url', closed.url], { cwd: own.dir, env });
    expect((await status({ MEMWARDEN_TOKEN: TOKEN })).code).toBe(0);
    expect((await status({ MEMWARDEN_TOKEN_FILE: file })).code).toBe(0);
    const missing = await status({ MEMWARDEN_TOKEN_FILE: `${file}.gone` });
    expect(missing.code).toBe(78);
    expect(missing.stderr).toContain(
      'MEMWARDEN_TOKEN_FILE: expected a file that can be read; got there is no such file',
    );
    for (const env of [{}, { MEMWARDEN_TOKEN: 'wrong' }]) {
      const { code, stderr } = await status(env);
      expect(code).toBe(1);
      expect(stderr).toContain('MEM_UNAUTHORIZED');
      expect(stderr).not.toContain(TOKEN);
    }
    expect(closed.stderr.all.join()).not.toContain(TOKEN);
    await closed.end();
    own.remove();
  });
});
