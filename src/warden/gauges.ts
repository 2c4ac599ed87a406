import type { Collector } from '../collect/collector.ts';
import { GAUGE_NAME, GAUGE_NAME_RULE } from '../collect/gauges.ts';
import { codes } from '../errors.ts';

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
  if (collector.state(target) === undefined) {
    const known = collector.states().map((state) => state.name);
    throw new codes.MEM_UNKNOWN_TARGET(
      `addGauge: there is no target "${shown(target)}". Known: ${known.join(', ')}.`,
    );
  }
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

const shown = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, 80) : typeof value;
