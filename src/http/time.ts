import { codes } from '../errors.ts';
import { parseDuration } from '../policy/units.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;

/** A day that there is, with its zone: Date.parse takes 30 February for 2 March, and no zone for its own. */
function isMoment(value: string): boolean {
  const day = RFC_3339.exec(value)?.[1];
  if (day === undefined || Number.isNaN(Date.parse(value))) return false;
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/**
 * A moment in a query: RFC 3339, epoch seconds, or a span back from now such as `10m`.
 * @throws MEM_BAD_REQUEST naming the parameter
 */
export function parseTime(
  value: string | undefined,
  nowMs: number,
  fallbackMs: number,
  name: string,
): number {
  if (value === undefined || value === '') return fallbackMs;
  if (/^\d{9,11}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  if (isMoment(value)) return Date.parse(value);
  try {
    const ms = nowMs - parseDuration(value);
    // Times before that have no year of four digits.
    if (ms >= 0) return ms;
    throw new RangeError('before 1970');
  } catch (cause) {
    throw new codes.MEM_BAD_REQUEST(
      `${name}: expected a time such as 2026-01-01T00:00:00Z, or a span such as 10m; got "${value}".`,
      { cause },
    );
  }
}
