import type { Collector } from '../collect/collector.ts';
import { GAUGE_NAME, GAUGE_NAME_RULE } from '../collect/gauges.ts';
import { codes } from '../errors.ts';
import { requireTarget, shown } from './from-javascript.ts';

/**
 * Registers a gauge of the application, which may be JavaScript: no type has checked what it says.
 * @throws MEM_BAD_REQUEST, MEM_UNKNOWN_TARGET or MEM_TOO_MANY_SERIES
 */
export function addGauge(
  collector: Collector,
  target: string,
  name: string,
  read: () => number,
): () => void {
  requireTarget(collector, 'addGauge', target);
  if (typeof name !== 'string' || !GAUGE_NAME.test(name)) {
    throw new codes.MEM_BAD_REQUEST(
      `addGauge: name: expected ${GAUGE_NAME_RULE}; got "${shown(name)}".`,
    );
  }
  if (typeof read !== 'function') {
    throw new codes.MEM_BAD_REQUEST(
      `addGauge: read of "${name}": expected a function that returns a number; got ${typeof read}.`,
    );
  }
  try {
    return collector.registerGauge(target, name, read);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new codes.MEM_TOO_MANY_SERIES('No more series can be kept; add fewer gauges.', { cause });
  }
}

/**
 * What the application pushes. A registered gauge is read by ourselves, which a push cannot change.
 * @throws MEM_CONFLICT or MEM_TOO_MANY_SERIES
 */
export function pushGauge(
  collector: Collector,
  push: { target: string; name: string; value: number; timeMs: number },
): void {
  const { target, name, value, timeMs } = push;
  let isTaken: boolean;
  try {
    isTaken = collector.setGauge(target, name, value, timeMs);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new codes.MEM_TOO_MANY_SERIES('No more series can be kept; push fewer gauge names.', {
      cause,
    });
  }
  if (isTaken) return;
  throw new codes.MEM_CONFLICT(
    `The gauge "${name}" of ${target} is registered by the application and read at every sample. Push under another name.`,
  );
}
