import type { CleanupLevel } from '../../policy/policy.ts';
import type { Cleaner } from '../cleaner.ts';
import { errorText } from '../error-text.ts';

/** Empties one cache, and may say how many entries it held. */
export type DropCache = () => number | undefined;

/**
 * Empties memwarden's own caches, every one of them even when some fail.
 * `items` is the number of entries that the caches say they held.
 */
export function createDropCachesCleaner(options: {
  level: CleanupLevel;
  drops: ReadonlyMap<string, DropCache>;
}): Cleaner {
  const { level, drops } = options;
  return {
    name: 'drop-caches',
    target: 'self',
    level,
    timeoutMs: 5_000,
    plan: () => `empty ${[...drops.keys()].join(', ') || 'no caches'}`,
    run() {
      const failures: string[] = [];
      let items = 0;
      for (const [name, drop] of drops) {
        try {
          items += drop() ?? 0;
        } catch (error) {
          failures.push(`${name}: ${errorText(error)}`);
        }
      }
      if (failures.length > 0) throw new Error(failures.join('; '));
      return { items };
    },
  };
}
