/** A real process to watch, that holds as much memory as it is told to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, writeFileSync } from 'node:fs';

export interface Service {
  readonly pid: number;
  /** Resolves once it holds that much, and nothing else. */
  hold(megabytes: number): Promise<void>;
  /** Ends it and waits until it is reaped. */
  end(): Promise<void>;
}

const SCRIPT = `
const { rss } = process.memoryUsage;
const ownBytes = rss();
let held = null;
// V8 gives buffers back on another thread, so it is asked until the memory has gone.
const settle = (mostBytes) => {
  gc();
  if (rss() > mostBytes) setImmediate(settle, mostBytes);
  else process.send('done');
};
process.on('message', (megabytes) => {
  const bytes = megabytes * 2 ** 20;
  held = bytes > 0 ? Buffer.alloc(bytes, 1) : null;
  settle(ownBytes + bytes + 2 ** 25);
});
process.on('disconnect', () => process.exit());
process.send('ready');
`;

const running = new Set<ChildProcess>();

export async function aService(...args: string[]): Promise<Service> {
  const child = spawn(process.execPath, ['--expose-gc', '-e', SCRIPT, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  running.add(child);
  await once(child, 'message');
  return {
    pid: child.pid as number,
    async hold(megabytes) {
      const done = once(child, 'message');
      child.send(megabytes);
      await done;
    },
    end: () => end(child),
  };
}

/** Starts another program under exactly this pid, which is free: the kernel gives the one after the last. */
export async function takePid(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    running.add(child);
    await once(child, 'spawn');
    if (child.pid === pid) return;
    await end(child);
  }
  throw new Error(`pid ${pid} could not be had`);
}

/** Whether this user may choose pids; CI containers often may not. */
export function canTakePid(): boolean {
  try {
    accessSync('/proc/sys/kernel/ns_last_pid', constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (!running.delete(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** For afterEach. */
export async function endServices(): Promise<void> {
  for (const child of running) await end(child);
}
