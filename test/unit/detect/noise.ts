/** Seeded noise, so that a test on chance has one outcome. */

/** Uniform in [0, 1), mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** AR(1) noise of unit variance whose neighbours correlate by `phi`; 0 is white noise. */
export function noise(options: { seed: number; points: number; phi: number }): Float64Array {
  const random = createRandom(options.seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const step = Math.sqrt(1 - options.phi ** 2);
  const values = new Float64Array(options.points);
  let value = gauss();
  for (let i = 0; i < values.length; i++) {
    values[i] = value;
    value = options.phi * value + step * gauss();
  }
  return values;
}
