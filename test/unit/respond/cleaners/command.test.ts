import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createCommandCleaner } from '../../../../src/respond/cleaners/command.ts';
import { aCleanup } from '../a-cleanup.ts';

const dir = mkdtempSync(join(tmpdir(), 'memwarden-command-'));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const cleaner = (argv: readonly string[], timeoutMs = 5_000) =>
  createCommandCleaner({ name: 'trim', target: 'api', level: 'gentle', timeoutMs, argv });

async function row(argv: readonly string[], timeoutMs?: number) {
  const { cleanup } = aCleanup();
  cleanup.register(cleaner(argv, timeoutMs));
  return (await cleanup.run({ level: 'gentle', reason: 'test' })).results[0];
}
const node = (script: string, timeoutMs?: number) =>
  row([process.execPath, '-e', script], timeoutMs);

/** A zombie that awaits its parent counts as gone. */
const isGone = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
};
/** Starts a `sleep` that inherits everything, and notes its pid in `file`. */
const strand = (file: string): string =>
  `const { pid } = require('child_process').spawn('sleep', ['300'], { stdio: 'inherit' });
   require('fs').writeFileSync(${JSON.stringify(file)}, String(pid));`;

describe('command cleaner', () => {
  it('runs its argv as it is, with a minimal environment', async () => {
    const out = join(dir, 'out.json');
    const script = `require('fs').writeFileSync(${JSON.stringify(out)}, JSON.stringify([process.argv.slice(1), process.env]))`;
    process.env.MEMWARDEN_TOKEN = 'secret';
    const done = await row([process.execPath, '-e', script, '--', '$HOME; rm *', '']);
    delete process.env.MEMWARDEN_TOKEN;
    expect(done).toMatchObject({ outcome: 'ok', error: null });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual([
      ['$HOME; rm *', ''],
      { PATH: process.env.PATH, MEMWARDEN_TARGET: 'api' },
    ]);
  });

  it.each([
    [
      `console.error('first'); console.error('last words'); process.exitCode = 3`,
      'exit code 3: last words',
    ],
    [`process.exit(1)`, 'exit code 1'],
    [`process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1e4)`, 'ended by SIGTERM'],
    [
      `process.stderr.write('x'.repeat(1e6) + '\\nthe end'); process.exitCode = 2`,
      'exit code 2: the end',
    ],
  ])('fails with what the command said last (%#)', async (script, error) => {
    expect(await node(script)).toMatchObject({ outcome: 'failed', error });
  });

  it('is not held up by a command that says a lot', async () => {
    const script = `process.stdout.write('x'.repeat(5e6)); process.stderr.write('y'.repeat(5e6))`;
    expect(await node(script)).toMatchObject({ outcome: 'ok' });
  });

  it.each([['/no/such/command'], ['/'], ['/etc/passwd']])(
    'fails when %s cannot be started',
    async (file) => {
      expect(await row([file])).toMatchObject({
        outcome: 'failed',
        error: expect.stringMatching(/could not be started|EACCES/),
      });
    },
  );

  it('kills the whole group at the time-out, deaf children included', async () => {
    const file = join(dir, 'deaf.pid');
    const started = performance.now();
    const script = `process.on('SIGTERM', () => {}); ${strand(file)} setInterval(() => {}, 1000)`;
    expect(await node(script, 1_500)).toMatchObject({ outcome: 'timed_out' });
    expect(performance.now() - started).toBeLessThan(4_000);
    await expect.poll(() => isGone(Number(readFileSync(file, 'utf8')))).toBe(true);
  });

  it('does not wait for what a command left behind, and does not leave it', async () => {
    const file = join(dir, 'left.pid');
    expect(await node(`${strand(file)} process.exit(0)`)).toMatchObject({ outcome: 'ok' });
    await expect.poll(() => isGone(Number(readFileSync(file, 'utf8')))).toBe(true);
  });

  it('does not wait for one that left its group and holds its pipe', async () => {
    const file = join(dir, 'escaped.pid');
    const script = strand(file).replace(`stdio: 'inherit'`, `stdio: 'inherit', detached: true`);
    const started = performance.now();
    const done = await node(`${script} console.error('bye'); process.exit(4)`);
    const pid = Number(readFileSync(file, 'utf8'));
    process.kill(pid, 'SIGKILL');
    expect(done).toMatchObject({ outcome: 'failed', error: 'exit code 4: bye' });
    expect(performance.now() - started).toBeLessThan(4_000);
    await expect.poll(() => isGone(pid)).toBe(true);
  });

  it('can run again after a time-out', async () => {
    const { cleanup } = aCleanup();
    cleanup.register(cleaner(['sleep', '300'], 50));
    const outcome = async () =>
      (await cleanup.run({ level: 'gentle', reason: 'test' })).results[0]?.outcome;
    expect(await outcome()).toBe('timed_out');
    // `skipped` until its kill has been noticed
    await expect.poll(outcome).toBe('timed_out');
  });

  it('plans without running, and refuses an empty argv', () => {
    expect(cleaner(['rm', '-rf', dir]).plan()).toBe(`run ["rm","-rf",${JSON.stringify(dir)}]`);
    expect(existsSync(dir)).toBe(true);
    expect(() => cleaner([])).toThrow(expect.objectContaining({ code: 'MEM_POLICY_INVALID' }));
  });
});
