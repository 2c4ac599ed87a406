/**
 * Bit fields in bytes, most significant bit first. No state: the caller holds the position, so the
 * codecs keep it in a local variable. `base` is a byte, `bit` counts from there.
 */

/** Readable bytes that must follow a stream, and writable ones that must follow the last field. */
export const SLACK_BYTES = 8;

/**
 * Writes the low `count` (1 to 32) bits of `value`. Bytes after the field are cleared, so a buffer
 * need not be zeroed; only `bytes[base]` must be 0 before the first field.
 */
export function putBits(
  bytes: Uint8Array,
  base: number,
  bit: number,
  value: number,
  count: number,
): void {
  const word = value << (32 - count);
  const shift = bit & 7;
  const at = base + (bit >>> 3);
  bytes[at] = bytes[at]! | (word >>> (24 + shift));
  bytes[at + 1] = word >>> (16 + shift);
  bytes[at + 2] = word >>> (8 + shift);
  bytes[at + 3] = word >>> shift;
  bytes[at + 4] = word << (8 - shift);
}

/** The 32 bits that start at `bit`, as a signed integer; take the top n with `>>> (32 - n)`. */
export function peekBits(bytes: Uint8Array, base: number, bit: number): number {
  const shift = bit & 7;
  const at = base + (bit >>> 3);
  const word = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return (word << shift) | (bytes[at + 4]! >>> (8 - shift));
}
