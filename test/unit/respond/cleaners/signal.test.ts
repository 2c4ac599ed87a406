import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createSignalCleaner,
  type SignalOptions,
} from '../../../../src/respond/cleaners/signal.ts';
import { aCleanup } from '../a-cleanup.ts';

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A real process, once it has said that it is ready. */
async function start(command: string, ...args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child as typeof child & { pid: number };
}
const node = (script: string) =>
  start(process.execPath, '-e', `${script}; console.log('ready'); setInterval(() => {}, 1000)`);

const identityOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return { pid, identity: `${pid} ${stat.slice(stat.lastIndexOf(')')).split(' ')[20]}` };
};

async function row(over: Partial<SignalOptions> & Pick<SignalOptions, 'identify'>) {
  const { cleanup } = aCleanup();
  const signal = 'SIGUSR2';
  cleanup.register(
    createSignalCleaner({
      name: 'trim',
      target: 'api',
      level: 'gentle',
      timeoutMs: 2_000,
      signal,
      settleMs: 1,
      ...over,
    }),
  );
  return (await cleanup.run({ level: 'gentle', reason: 'test' })).results[0];
}
const alive = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null;

describe('signal cleaner', () => {
  it('reaches a process that handles the signal', async () => {
    const child = await node(`process.on('SIGUSR2', () => console.log('trimmed'))`);
    const said = once(child.stdout as NodeJS.ReadableStream, 'data');
    expect(await row({ identify: () => identityOf(child.pid) })).toMatchObject({
      outcome: 'ok',
      error: null,
    });
    expect(String((await said)[0])).toBe('trimmed\n');
  });

  it.each(['SIGUSR2', 'SIGHUP', 'SIGTERM', 'SIGUSR1'] as const)(
    'spares a process that does not handle %s, which would die of it',
    async (signal) => {
      const child = await start('sh', '-c', 'echo ready; while :; do sleep 1; done');
      expect(await row({ signal, identify: () => identityOf(child.pid) })).toMatchObject({
        outcome: 'skipped',
        error: `api (pid ${child.pid}) does not handle ${signal}, which would kill it`,
      });
      expect(alive(child)).toBe(true);
    },
  );

  it('skips a process that ignores the signal', async () => {
    const child = await start('sh', '-c', `trap '' USR2; echo ready; while :; do sleep 1; done`);
    expect(await row({ identify: () => identityOf(child.pid) })).toMatchObject({
      outcome: 'skipped',
    });
  });

  it('never sends SIGUSR1 to Node, handler or not', async () => {
    for (const script of ['', `process.on('SIGUSR1', () => process.exit(9))`]) {
      const child = await node(script);
      expect(await row({ signal: 'SIGUSR1', identify: () => identityOf(child.pid) })).toMatchObject(
        {
          outcome: 'skipped',
          error: expect.stringContaining('inspector'),
        },
      );
      expect(alive(child)).toBe(true);
    }
  });

  it('sends SIGUSR1 to what is not Node', async () => {
    const child = await start(
      'sh',
      '-c',
      `trap 'echo trimmed' USR1; echo ready; while :; do sleep 0.01; done`,
    );
    const said = once(child.stdout as NodeJS.ReadableStream, 'data');
    expect(await row({ signal: 'SIGUSR1', identify: () => identityOf(child.pid) })).toMatchObject({
      outcome: 'ok',
    });
    expect(String((await said)[0])).toBe('trimmed\n');
  });

  it('skips a target that is not running, has died, or became another', async () => {
    const child = await node(`process.on('SIGUSR2', () => process.exit(9))`);
    const known = identityOf(child.pid);
    let asked = 0;
    const replaced = () => ({ ...known, identity: `${known.identity} ${asked++}` });
    let once_ = 0;
    expect(await row({ identify: () => null })).toMatchObject({
      outcome: 'skipped',
      error: 'api is not running',
    });
    expect(await row({ identify: replaced })).toMatchObject({
      outcome: 'skipped',
      error: expect.stringContaining('replaced'),
    });
    expect(await row({ identify: () => (once_++ === 0 ? known : null) })).toMatchObject({
      outcome: 'skipped',
    });
    expect(alive(child)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await row({ identify: () => known })).toMatchObject({ outcome: 'skipped' });
  });

  it('waits for the effect no longer than its time-out', async () => {
    const child = await node(`process.on('SIGUSR2', () => {})`);
    const over = { settleMs: 60_000, timeoutMs: 50, identify: () => identityOf(child.pid) };
    expect(await row(over)).toMatchObject({ outcome: 'timed_out' });
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)('refuses %s', async (signal) => {
    await expect(row({ signal, identify: () => null })).rejects.toMatchObject({
      code: 'MEM_POLICY_INVALID',
    });
  });
});
