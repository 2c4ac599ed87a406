import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { codes } from '../../errors.ts';
import type { CleanupLevel } from '../../policy/policy.ts';
import { type Cleaner, SkipCleaner } from '../cleaner.ts';
import { catchesSignal, mayBeNode } from './proc-signal.ts';

/** What the kernel does to memory after a signal takes the process a moment. */
const SETTLE_MS = 500;

export interface ProcessIdentity {
  readonly pid: number;
  /** boot id, pid and start time in one: another process never has the same */
  readonly identity: string;
}

export interface SignalOptions {
  readonly name: string;
  readonly target: string;
  readonly level: CleanupLevel;
  readonly timeoutMs: number;
  readonly signal: NodeJS.Signals;
  /** Who the target is now, read afresh from the kernel; null when it is not running. */
  identify(): ProcessIdentity | null;
  /** wait after the signal, so that the run measures its effect; 500 ms when not given */
  readonly settleMs?: number;
}

/**
 * Sends a signal to a target that handles it: one it does not handle would kill it. Skipped, with the
 * reason, whenever that cannot be proved of the very process that is signalled.
 *
 * SIGUSR1 is never sent to Node, which always catches it, and opens its inspector.
 *
 * @throws MEM_POLICY_INVALID for SIGKILL and SIGSTOP, which nothing can handle
 */
export function createSignalCleaner(options: SignalOptions): Cleaner {
  const { name, target, level, timeoutMs, signal, settleMs = SETTLE_MS } = options;
  if (signal === 'SIGKILL' || signal === 'SIGSTOP') {
    throw new codes.MEM_POLICY_INVALID(
      `cleaner "${name}": ${signal} cannot be handled, so it frees nothing: choose a signal the application handles`,
    );
  }
  return {
    name,
    target,
    level,
    timeoutMs,
    plan: () => `send ${signal} to ${target}`,
    async run(abort) {
      sendProved(options);
      await sleep(settleMs, undefined, { signal: abort });
    },
  };
}

/** Proves, then sends, without a pause in between in which the pid could become another's. */
function sendProved({ target, signal, identify }: SignalOptions): void {
  const proved = identify();
  if (!proved) throw new SkipCleaner(`${target} is not running`);
  const { pid, identity } = proved;
  if (!catchesSignal(pid, constants.signals[signal])) {
    throw new SkipCleaner(`${target} (pid ${pid}) does not handle ${signal}, which would kill it`);
  }
  if (signal === 'SIGUSR1' && mayBeNode(pid)) {
    throw new SkipCleaner(
      `${target} (pid ${pid}) is Node, or cannot be told from it: SIGUSR1 would open its inspector`,
    );
  }
  const again = identify();
  if (again?.identity !== identity || again.pid !== pid) {
    throw new SkipCleaner(`${target} (pid ${pid}) was replaced by another process`);
  }
  process.kill(pid, signal);
}
