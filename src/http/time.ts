import { codes } from '../errors.ts';
import { parseDuration } from '../policy/units.ts';

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
  if (/^\d{4}-\d{2}-\d{2}/.test(value)) {
    const ms = Date.parse(value);
    if (!Number.isNaN(ms)) return ms;
  }
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
