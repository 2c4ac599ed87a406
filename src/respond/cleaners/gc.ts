import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CleanupLevel } from '../../policy/policy.ts';
import { type Cleaner, SkipCleaner } from '../cleaner.ts';

/** After the cleaners that drop references, so that it collects what they let go. */
const AFTER_OTHERS = 900;

/**
 * A full garbage collection of this process. Blocks it meanwhile: about 0.5 s per 200 MB of live
 * heap. Says no figure itself: what counts is the RSS that the run measures.
 */
export function createGcCleaner(options: { level: CleanupLevel }): Cleaner {
  let collect: (() => void) | null = null;
  return {
    name: 'gc',
    target: 'self',
    level: options.level,
    order: AFTER_OTHERS,
    timeoutMs: 30_000,
    plan: () => 'run a full garbage collection in this process',
    run() {
      collect ??= globalThis.gc ?? exposeGc();
      collect();
    },
  };
}

/** V8 gives a new context a `gc` while the flag is set; the flag is taken back at once. */
function exposeGc(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof gc !== 'function') throw new SkipCleaner('this runtime does not expose its collector');
  return () => gc();
}
