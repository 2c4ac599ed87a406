/**
 * Doubles in few bits: each value is XORed with the one before and only the bits that differ are
 * kept.
 *
 * Method: Gorilla (Pelkonen et al., VLDB 2015, section 4.1.2), on two 32-bit halves. First value
 * whole; then `0` = same, `10` = differs inside the last window, `11` = a new window (5 bits of
 * leading zeros, 6 bits of length - 1). A window much wider than needed is left for a new one, which
 * the paper does not do. Lossless for every bit pattern: -0, infinities, NaN with its payload.
 * Cost: 1 bit for a repeated value, at most 77 for any other; about 10 ns a value either way.
 */
import { peekBits, putBits, SLACK_BYTES } from './bit-stream.ts';

const NEW_WINDOW_BITS = 13;

/** Room that `encodeValues` may need for `rows` values, slack included. */
export function maxEncodedBytes(rows: number): number {
  return Math.ceil((rows * 77) / 8) + 2 * SLACK_BYTES;
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * Encodes the first `rows` (at least 1) doubles of `words` at `base`; returns the length in bytes.
 * `bytes` needs `maxEncodedBytes(rows)` of room.
 */
export function encodeValues(
  words: Uint32Array,
  rows: number,
  bytes: Uint8Array,
  base: number,
): number {
  let low = words[0]! | 0;
  let high = words[1]! | 0;
  bytes[base] = 0;
  putBits(bytes, base, 0, high, 32);
  putBits(bytes, base, 32, low, 32);
  let bit = 64;
  let leading = 64; // no window yet: more zeros than any difference has
  let trailing = 0;
  let length = 0;
  let repeats = 0;
  for (let row = 1; row < rows; row++) {
    const nextLow = words[2 * row]! | 0;
    const nextHigh = words[2 * row + 1]! | 0;
    const xorLow = low ^ nextLow;
    const xorHigh = high ^ nextHigh;
    if ((xorLow | xorHigh) === 0) {
      repeats += 1;
      continue;
    }
    bit = putRepeats(bytes, base, bit, repeats);
    repeats = 0;
    low = nextLow;
    high = nextHigh;
    const zeros = xorHigh === 0 ? 31 : Math.clz32(xorHigh);
    const tail = xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
    const needed = 64 - zeros - tail;
    if (zeros >= leading && tail >= trailing && length <= needed + NEW_WINDOW_BITS - 2) {
      putBits(bytes, base, bit, 0b10, 2);
      bit += 2;
    } else {
      leading = zeros;
      trailing = tail;
      length = needed;
      putBits(bytes, base, bit, (0b11 << 11) | (zeros << 6) | (needed - 1), NEW_WINDOW_BITS);
      bit += NEW_WINDOW_BITS;
    }
    bit = putWindow(bytes, base, bit, xorHigh, xorLow, trailing, length);
  }
  return (putRepeats(bytes, base, bit, repeats) + 7) >>> 3;
}

/** Writes a zero for each value that is the same as the one before; the new position. */
function putRepeats(bytes: Uint8Array, base: number, bit: number, repeats: number): number {
  const end = bit + repeats;
  for (let at = bit; at < end; at += 32) putBits(bytes, base, at, 0, Math.min(32, end - at));
  return end;
}

/** Writes `length` bits of the 64-bit XOR, leaving out its lowest `trailing`; the new position. */
function putWindow(
  bytes: Uint8Array,
  base: number,
  bit: number,
  high: number,
  low: number,
  trailing: number,
  length: number,
): number {
  if (trailing >= 32) {
    putBits(bytes, base, bit, high >>> (trailing - 32), length);
    return bit + length;
  }
  const lower = trailing === 0 ? low : (low >>> trailing) | (high << (32 - trailing));
  if (length <= 32) {
    putBits(bytes, base, bit, lower, length);
    return bit + length;
  }
  putBits(bytes, base, bit, high >>> trailing, length - 32);
  putBits(bytes, base, bit + length - 32, lower, 32);
  return bit + length;
}

/** Decodes `rows` doubles from `base` into `words`, from value `at` on. */
export function decodeValues(
  bytes: Uint8Array,
  base: number,
  rows: number,
  words: Uint32Array,
  at: number,
): void {
  let high = peekBits(bytes, base, 0);
  let low = peekBits(bytes, base, 32);
  words[2 * at] = low;
  words[2 * at + 1] = high;
  let bit = 64;
  let trailing = 0;
  let length = 0;
  const end = 2 * (at + rows);
  let to = 2 * at + 2;
  while (to < end) {
    const control = peekBits(bytes, base, bit);
    let count = 1;
    if (control >= 0) {
      // as many values are the same as there are zeros, of which 32 are seen at once
      count = Math.min(Math.clz32(control), (end - to) >>> 1);
      bit += count;
    } else {
      if ((control & 0x4000_0000) === 0) {
        bit += 2;
      } else {
        length = ((control >>> 19) & 63) + 1;
        trailing = 64 - ((control >>> 25) & 31) - length;
        bit += NEW_WINDOW_BITS;
      }
      const over = length - 32;
      const upper = over > 0 ? peekBits(bytes, base, bit) >>> (32 - over) : 0;
      const lower = peekBits(bytes, base, over > 0 ? bit + over : bit) >>> (over > 0 ? 0 : -over);
      bit += length;
      if (trailing >= 32) {
        high ^= lower << (trailing - 32);
      } else {
        low ^= lower << trailing;
        high ^= trailing === 0 ? upper : (upper << trailing) | (lower >>> (32 - trailing));
      }
    }
    for (; count > 0; count--, to += 2) {
      words[to] = low;
      words[to + 1] = high;
    }
  }
}
