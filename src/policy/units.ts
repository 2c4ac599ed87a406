/** Durations and sizes as people write them: `30s` to milliseconds, `512MiB` to bytes, and back. */

const MS_BY_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const BYTES_BY_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  KiB: 2 ** 10,
  MB: 1e6,
  MiB: 2 ** 20,
  GB: 1e9,
  GiB: 2 ** 30,
  TB: 1e12,
  TiB: 2 ** 40,
};

const QUANTITY = /^(\d{1,16}(?:\.\d{1,6})?)([A-Za-z]{1,3})$/;

export interface NumberUnit {
  /** what a bare number counts, in milliseconds or bytes; without it a bare number is refused */
  readonly numberUnit?: number;
}

/** What a bare number means under a key that ends in `_minutes`, in milliseconds. */
export const MINUTE_MS = 60_000;

/** What a bare number means under a key that ends in `_mb`, in bytes. */
export const MEBIBYTE = 2 ** 20;

/**
 * Milliseconds of `500ms`, `30s`, `10m`, `24h` or `30d`, rounded to a whole millisecond.
 * @throws RangeError for anything else: a sign, a space, another unit, or 2^53 and more
 */
export function parseDuration(value: unknown, options: NumberUnit = {}): number {
  return parseQuantity(value, MS_BY_UNIT, options) ?? refuse('a duration such as 30s');
}

/**
 * Bytes of `512MB` (10^6), `512MiB` (2^20) and the other B, K, G and T units, rounded to a whole
 * byte.
 * @throws RangeError for anything else: a sign, a space, another unit, or 2^53 and more
 */
export function parseSize(value: unknown, options: NumberUnit = {}): number {
  return parseQuantity(value, BYTES_BY_UNIT, options) ?? refuse('a size such as 512MiB');
}

/** `1500` as `1500ms`, `90000` as `90s`, `86400000` as `1d`; `unknown` for NaN. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  const unit = ['d', 'h', 'm', 's'].find((name) => ms !== 0 && ms % (MS_BY_UNIT[name] ?? 1) === 0);
  return unit === undefined ? `${ms}ms` : `${ms / (MS_BY_UNIT[unit] ?? 1)}${unit}`;
}

/** `1572864` as `1.5MiB`: binary units, at most one decimal; `unknown` for NaN. */
export function formatSize(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  const unit =
    ['TiB', 'GiB', 'MiB', 'KiB'].find((name) => Math.abs(bytes) >= (BYTES_BY_UNIT[name] ?? 1)) ??
    'B';
  return `${Number((bytes / (BYTES_BY_UNIT[unit] ?? 1)).toFixed(1))}${unit}`;
}

function parseQuantity(
  value: unknown,
  factorByUnit: Readonly<Record<string, number>>,
  { numberUnit }: NumberUnit,
): number | null {
  if (typeof value === 'number') {
    return numberUnit === undefined ? null : wholeInRange(value * numberUnit);
  }
  const match = typeof value === 'string' ? QUANTITY.exec(value) : null;
  const unit = match?.[2] ?? '';
  if (!Object.hasOwn(factorByUnit, unit)) return null;
  return wholeInRange(Number(match?.[1]) * (factorByUnit[unit] ?? Number.NaN));
}

function refuse(expected: string): never {
  throw new RangeError(`expected ${expected}`);
}

function wholeInRange(quantity: number): number | null {
  const whole = Math.round(quantity);
  return whole >= 0 && whole <= Number.MAX_SAFE_INTEGER ? whole : null;
}
