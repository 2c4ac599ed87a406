import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTimes, encodeTimes, maxTimeBytes } from '../../../src/history/time-codec.ts';

function roundTrip(times: Float64Array, firstMs = times[0]!): Float64Array {
  const scratch = new Uint8Array(5 + maxTimeBytes(times.length)).fill(0xff);
  const length = encodeTimes(times, scratch, 5);
  const bytes = scratch.fill(0xff, 5 + length).subarray(5);
  const out = new Float64Array(times.length + 2);
  decodeTimes(bytes, firstMs, times.length, out, 2);
  return out.slice(2);
}

const step = fc.oneof(
  fc.integer({ min: 990, max: 1010 }),
  fc.integer({ min: 1, max: 100_000 }),
  fc.integer({ min: 1, max: 2 ** 45 }),
);

describe('time codec', () => {
  it('gives every rising sequence of whole milliseconds back', () => {
    const steps = fc.array(step, { maxLength: 100, size: 'max' });
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 2e12 }), steps, (firstMs, gaps) => {
        let timeMs = firstMs;
        const times = Float64Array.from([firstMs, ...gaps.map((gap) => (timeMs += gap))]);
        expect(roundTrip(times)).toEqual(times);
      }),
      { numRuns: 500 },
    );
  });

  it('is relative to the first time', () => {
    expect(roundTrip(Float64Array.of(1000, 2000, 3500), 50)).toEqual(
      Float64Array.of(50, 1050, 2550),
    );
  });

  it('takes one bit a row for a steady clock and nine for one that jitters', () => {
    const steady = Float64Array.from({ length: 802 }, (_, n) => n * 1000);
    const scratch = new Uint8Array(maxTimeBytes(802));
    const jitters = Float64Array.from({ length: 802 }, (_, n) => n * 1000 + (n % 2));
    expect(encodeTimes(steady, scratch, 0)).toBeLessThanOrEqual(103);
    expect(encodeTimes(jitters, scratch, 0)).toBeLessThanOrEqual(905);
  });
});
