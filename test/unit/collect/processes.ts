/** Real processes for tests, each ended by the pid we started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Started {
  readonly pid: number;
  /** Ends it and waits until it is reaped. */
  end(): Promise<void>;
}

const running = new Set<Started>();

/** Starts a program; resolves once it runs. */
export async function start(command: string, args: readonly string[]): Promise<Started> {
  const child = spawn(command, args, { stdio: 'ignore' });
  await once(child, 'spawn');
  return keep(child, []);
}

/**
 * Writes to a named pipe once someone reads from it, and not before `afterMs`: who does wait for a
 * writer is let go, so that a test of that fails and does not hang.
 */
export function feed(pipe: string, text: string, afterMs = 0): Promise<Started> {
  const script = `const [pipe, text, afterMs] = process.argv.slice(1);
    const write = () => fs.writeSync(fs.openSync(pipe, fs.constants.O_WRONLY), text);
    setTimeout(write, Number(afterMs));`;
  return start(process.execPath, ['-e', script, pipe, text, String(afterMs)]);
}

/** Starts a shell script that prints pids, one a line; resolves with the first `lines` of them. */
export async function startShell(
  script: string,
  lines: number,
): Promise<Started & { children: number[] }> {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const children: number[] = [];
  const started = keep(child, children);
  for await (const line of createInterface({ input: child.stdout })) {
    if (children.push(Number(line)) === lines) break;
  }
  return { ...started, children };
}

/** For afterEach: whatever a test left. */
export async function endAll(): Promise<void> {
  for (const started of running) await started.end();
}

function keep(child: ChildProcess, children: readonly number[]): Started {
  const started = {
    pid: child.pid as number,
    async end() {
      if (!running.delete(started)) return;
      for (const pid of children) kill(pid);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
  running.add(started);
  return started;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
