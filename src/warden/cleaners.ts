/** The cleaners there are without asking, and those that a target's policy asks for. */
import type { Collector } from '../collect/collector.ts';
import type { Reading } from '../collect/reading.ts';
import type { CleanerPolicy, TargetPolicy } from '../policy/policy.ts';
import type { Cleaner } from '../respond/cleaner.ts';
import { createCommandCleaner } from '../respond/cleaners/command.ts';
import { createDropCachesCleaner, type DropCache } from '../respond/cleaners/drop-caches.ts';
import { createGcCleaner } from '../respond/cleaners/gc.ts';
import { createHttpHookCleaner } from '../respond/cleaners/http-hook.ts';
import { createReclaimCleaner } from '../respond/cleaners/reclaim.ts';
import { createSignalCleaner } from '../respond/cleaners/signal.ts';

/** Our own caches first, then a collection, so that what was dropped is also freed. */
export function builtInCleaners(drops: ReadonlyMap<string, DropCache>): Cleaner[] {
  return [
    createDropCachesCleaner({ level: 'aggressive', drops }),
    createGcCleaner({ level: 'aggressive' }),
  ];
}

/** The most that a process can give back; NaN when it is unknown. Swap that cannot be read counts as none. */
export const heldBytes = ({ process }: Reading): number =>
  process ? process.rssBytes + (process.swapBytes || 0) : Number.NaN;

/** `gc: true` on another process needs the inspector; the policy says that it is not available yet. */
function targetCleaner(
  policy: CleanerPolicy,
  target: string,
  collector: Collector,
): Cleaner | undefined {
  const { name, level, timeoutMs, http, signal, command, reclaimBytes } = policy;
  const common = { name, target, level, timeoutMs };
  if (http) return createHttpHookCleaner({ ...common, url: http.url, method: http.method });
  if (signal) {
    return createSignalCleaner({ ...common, signal, identify: () => collector.identify(target) });
  }
  if (command) return createCommandCleaner({ ...common, argv: command });
  if (reclaimBytes !== null) {
    const cgroupDir = (): string | null => collector.cgroupDir(target);
    return createReclaimCleaner({ ...common, bytes: reclaimBytes, cgroupDir });
  }
  return undefined;
}

export const targetCleaners = (target: TargetPolicy, collector: Collector): Cleaner[] =>
  target.cleaners.flatMap((policy) => targetCleaner(policy, target.name, collector) ?? []);
