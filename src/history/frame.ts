/** Doubles and the same memory as 32-bit words: word 2i is the low half of value i, 2i + 1 the high. */
export interface Frame {
  readonly values: Float64Array;
  readonly words: Uint32Array;
}

/** A frame of `length` zeros. The order of the halves is that of a little-endian machine. */
export function createFrame(length: number): Frame {
  const values = new Float64Array(length);
  return { values, words: new Uint32Array(values.buffer) };
}
