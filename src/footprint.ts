/**
 * A small footprint for the service.
 *
 * Most of what is compiled at start runs once. Optimising that code costs some 10 MB of pages and
 * code that are never used again, so V8 interprets until the service listens; then the garbage of
 * starting up is collected once, and what runs every second is optimised as usual.
 * Measured by bench/service.mjs; without this the service holds about 30 MB more.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Call before anything large is loaded. */
export function startLean(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-sparkplug');
}

type Collect = (options?: { type: 'minor' }) => void;

let collector: Collect | undefined;

/** V8's own, which it shows only on demand. */
function collect(options?: { type: 'minor' }): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('globalThis.gc');
    setFlagsFromString('--no-expose-gc');
    collector = typeof found === 'function' ? (found as Collect) : () => {};
  }
  collector(options);
}

/**
 * Collects what was just allocated (about 1 ms), or everything (20–40 ms). V8 does not see how large
 * a buffer is when it decides to collect, so whoever has let go of some MB says so.
 */
export function collectGarbage(age: 'young' | 'old'): void {
  collect(age === 'young' ? { type: 'minor' } : undefined);
}

/** Call once the service listens. One full collection: 20–40 ms. */
export function runAtSpeed(): void {
  collect();
  // From here on the heap may grow by a quarter between collections: kept as small as at start, it
  // is collected so often that a thousand targets cost 0.1 to 0.4 % of a core more.
  setFlagsFromString('--no-optimize-for-size');
  setFlagsFromString('--heap-growing-percent=25');
  setFlagsFromString('--sparkplug');
  setFlagsFromString('--opt');
}
