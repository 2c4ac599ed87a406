/** Below this a page or two of rounding, and a call to the system each, would cost more than it gives. */
const MAPPED_BYTES = 64 * 1024;

/**
 * Memory that goes back to the system when it is no longer used: `bytes` of zeros.
 *
 * malloc keeps what large blocks leave behind, and with a thousand targets that came to half as much
 * as history itself. V8 maps the memory of a resizable buffer on its own, page by page, so a large
 * block is one, although nobody resizes it. Cost: about 5 µs to map 400 KB; reading it byte by byte
 * takes half as long again.
 */
export function allocateBlock(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes < MAPPED_BYTES) return new Uint8Array(bytes);
  return new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes);
}

/** The same bytes as `allocateBlock` would have placed them: a copy only where they are not. */
export function asBlock(bytes: Uint8Array): Uint8Array {
  const isMapped = bytes.buffer instanceof ArrayBuffer && bytes.buffer.resizable;
  const isPlaced = bytes.length < MAPPED_BYTES || isMapped;
  if (isPlaced && bytes.byteOffset % 8 === 0) return bytes;
  const block = allocateBlock(bytes.length);
  block.set(bytes);
  return block;
}
