import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { codes } from '../../errors.ts';
import type { CleanupLevel } from '../../policy/policy.ts';
import type { Cleaner } from '../cleaner.ts';
import { errorText } from '../error-text.ts';

const KEPT_STDERR_CHARS = 4096;
const DRAIN_MS = 200;

export interface CommandOptions {
  readonly name: string;
  readonly target: string;
  readonly level: CleanupLevel;
  readonly timeoutMs: number;
  /** run as it is, without a shell */
  readonly argv: readonly string[];
}

/**
 * Runs a command in a process group of its own, with PATH and MEMWARDEN_TARGET as its environment.
 * Exit code 0 is success; otherwise the last line it wrote to stderr is the error. What is left of
 * the group when it ends, or at the time-out, is killed: a cleaner must not strand processes.
 *
 * @throws MEM_POLICY_INVALID for an empty argv
 */
export function createCommandCleaner(options: CommandOptions): Cleaner {
  const { name, target, level, timeoutMs, argv } = options;
  const [file, ...args] = argv;
  if (!file) throw new codes.MEM_POLICY_INVALID(`cleaner "${name}": command is empty`);
  return {
    name,
    target,
    level,
    timeoutMs,
    plan: () => `run ${JSON.stringify(argv)}`,
    async run(signal) {
      signal.throwIfAborted();
      const child = spawn(file, args, {
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, MEMWARDEN_TARGET: target },
      });
      const onAbort = (): void => {
        killGroup(child.pid);
      };
      signal.addEventListener('abort', onAbort);
      // a second signal ends us at once, and must not leave it running
      process.once('exit', onAbort);
      const ending = await ended(child);
      process.off('exit', onAbort);
      signal.removeEventListener('abort', onAbort);
      if (ending !== null) throw new Error(ending);
    },
  };
}

/** Resolves when the command has exited and its group is gone: null, or what went wrong. */
async function ended(child: ChildProcess): Promise<string | null> {
  const lastLine = lastLineOf(child.stderr);
  let how: string | null;
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    how = exitProblem(code, signal);
  } catch (error) {
    return `could not be started: ${errorText(error)}`;
  }
  if (!killGroup(child.pid)) how ??= 'some of its processes could not be killed';
  if (how === null) {
    child.stderr?.destroy();
    return null;
  }
  const line = await lastLine();
  return line === '' ? how : `${how}: ${line}`;
}

function exitProblem(code: number | null, signal: NodeJS.Signals | null): string | null {
  if (signal !== null) return `ended by ${signal}`;
  return code === 0 ? null : `exit code ${code}`;
}

/** Drains a stream and keeps its end. The stream may outlive the command in a process that left its group. */
function lastLineOf(stream: Readable | null): () => Promise<string> {
  let tail = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-KEPT_STDERR_CHARS);
  });
  return async () => {
    const drained = AbortSignal.timeout(DRAIN_MS);
    if (stream) await finished(stream, { signal: drained }).catch(() => stream.destroy());
    return tail.trimEnd().split('\n').at(-1) ?? '';
  };
}

/** Kills what is left of a process group. false when that is not allowed. */
function killGroup(pid: number | undefined): boolean {
  if (pid === undefined) return true;
  try {
    process.kill(-pid, 'SIGKILL');
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
