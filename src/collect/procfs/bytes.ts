/**
 * Numbers straight out of the bytes of a kernel text file, without making a string.
 * Assumes ASCII. A number that is not there is NaN. Exact up to 2^53, near enough above.
 */

const NEWLINE = 10;
const SPACE = 32;
const TAB = 9;
const ZERO = 48;
const NINE = 57;

/** The unsigned integer at `at`, after spaces and tabs; NaN when no digit follows. */
export function readUint(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
  const first = i;
  let value = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return i === first ? Number.NaN : value;
}

/** A decimal such as `12.34`, times 100; digits past the second are dropped. */
export function readHundredths(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let decimals = -1;
  let i = at;
  for (; i < end && decimals < 2; i++) {
    const byte = bytes[i]!;
    if (byte === 46 && decimals < 0) decimals = 0;
    else if (byte < ZERO || byte > NINE) break;
    else {
      value = value * 10 + byte - ZERO;
      if (decimals >= 0) decimals++;
    }
  }
  return i === at ? Number.NaN : value * 10 ** (2 - Math.max(decimals, 0));
}

/**
 * The numbers that follow `keys` at the start of a line, in one pass, into the same places of
 * `values`. A key carries its own end (`MemTotal:`, `pswpin `), so that no key is another's prefix.
 */
export function readKeyed(
  text: { bytes: Uint8Array; end: number },
  keys: readonly Uint8Array[],
  values: Float64Array,
): void {
  const { bytes, end } = text;
  values.fill(Number.NaN, 0, keys.length);
  let line = 0;
  let missing = keys.length;
  while (line < end && missing > 0) {
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k]!;
      if (bytes[line] === key[0] && startsWith(bytes, line, key)) {
        values[k] = readUint(bytes, line + key.length, end);
        missing--;
        break;
      }
    }
    while (line < end && bytes[line] !== NEWLINE) line++;
    line++;
  }
}

/** Keys for readKeyed, made once. */
export function keysOf(...keys: readonly string[]): Uint8Array[] {
  return keys.map((key) => Buffer.from(key, 'latin1'));
}

function startsWith(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let i = 1; i < key.length; i++) if (bytes[at + i] !== key[i]) return false;
  return true;
}
