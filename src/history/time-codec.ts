/**
 * Sample times in about one byte each: the change of the step between them, in milliseconds.
 *
 * Method: delta of delta (Gorilla, section 4.1.1) with our own widths: `0` = the same step, `10` +
 * 7 bits, `110` + 14 bits, `1110` + 32 bits of change, and `1111` + 53 bits of the step itself, which
 * holds any gap. The first time is the segment's and is not stored.
 */
import { peekBits, putBits, SLACK_BYTES } from './bit-stream.ts';

const MAX_BITS = 57;
const TWO_32 = 2 ** 32;

function fits(change: number, bits: number): boolean {
  const limit = 2 ** (bits - 1);
  return change >= -limit && change < limit;
}

/** Room that `encodeTimes` may need for `rows` times, slack included. */
export function maxTimeBytes(rows: number): number {
  return Math.ceil((rows * MAX_BITS) / 8) + SLACK_BYTES;
}

/**
 * Encodes rising whole milliseconds at `base`, leaving `times[0]` out; returns the length in bytes.
 * `bytes` needs `maxTimeBytes(times.length)` of room.
 */
export function encodeTimes(times: Float64Array, bytes: Uint8Array, base: number): number {
  bytes[base] = 0;
  let bit = 0;
  let stepMs = 0;
  const put = (value: number, count: number): void => {
    putBits(bytes, base, bit, value, count);
    bit += count;
  };
  for (let row = 1; row < times.length; row++) {
    const nextMs = times[row]! - times[row - 1]!;
    const change = nextMs - stepMs;
    stepMs = nextMs;
    if (change === 0) {
      put(0, 1);
    } else if (fits(change, 7)) {
      put((0b10 << 7) | (change & 0x7f), 9);
    } else if (fits(change, 14)) {
      put((0b110 << 14) | (change & 0x3fff), 17);
    } else if (fits(change, 32)) {
      put(0b1110, 4);
      put(change, 32);
    } else {
      put(0b1111, 4);
      put(Math.floor(nextMs / TWO_32), 21);
      put(nextMs % TWO_32, 32);
    }
  }
  return (bit + 7) >>> 3;
}

/** Decodes `rows` times into `out` from `at` on; `bytes` must be followed by readable slack. */
export function decodeTimes(
  bytes: Uint8Array,
  firstMs: number,
  rows: number,
  out: Float64Array,
  at: number,
): void {
  let bit = 0;
  let stepMs = 0;
  let timeMs = firstMs;
  out[at] = firstMs;
  for (let row = at + 1; row < at + rows; row++) {
    const control = peekBits(bytes, 0, bit);
    if (control >= 0) {
      bit += 1;
    } else if (control >>> 30 === 0b10) {
      stepMs += (control << 2) >> 25;
      bit += 9;
    } else if (control >>> 29 === 0b110) {
      stepMs += (control << 3) >> 18;
      bit += 17;
    } else if (control >>> 28 === 0b1110) {
      stepMs += peekBits(bytes, 0, bit + 4);
      bit += 36;
    } else {
      const upper = peekBits(bytes, 0, bit + 4) >>> 11;
      stepMs = upper * TWO_32 + (peekBits(bytes, 0, bit + 25) >>> 0);
      bit += MAX_BITS;
    }
    timeMs += stepMs;
    out[row] = timeMs;
  }
}
