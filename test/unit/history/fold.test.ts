import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldRows } from '../../../src/history/fold.ts';
import { createFrame, type Frame } from '../../../src/history/frame.ts';

function frameOf(values: readonly number[]): Frame {
  const frame = createFrame(values.length);
  frame.values.set(values);
  return frame;
}

/** All of `values` in one bucket. */
function fold(values: readonly number[]) {
  const from = frameOf(values);
  const into = { min: createFrame(1), mean: createFrame(1), max: createFrame(1) };
  const bucketByRow = new Uint32Array(values.length);
  foldRows({ from: { min: from, mean: from, max: from }, bucketByRow, into });
  return { min: into.min.values[0]!, mean: into.mean.values[0]!, max: into.max.values[0]! };
}

const finite = fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e300, max: 1e300 });

describe('folding rows', () => {
  it('keeps the extremes to the bit, and the mean to a 256th of what lies between them', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 60 }), (values) => {
        const exact = values.reduce((sum, value) => sum + value, 0) / values.length;
        const { min, mean, max } = fold(values);
        expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
        expect(mean).toBeGreaterThanOrEqual(min);
        expect(mean).toBeLessThanOrEqual(max);
        const rounding = Math.max(Math.abs(min), Math.abs(max)) * Number.EPSILON * values.length;
        expect(Math.abs(mean - exact)).toBeLessThanOrEqual((max - min) / 256 + rounding);
      }),
    );
  });

  it('keeps the mean of what does not change as it is', () => {
    for (const value of [0.1, -0, 5e-324, 1e308, 4_194_304]) {
      expect(fold([value, value, value])).toEqual({ min: value, mean: value, max: value });
    }
  });

  it('leaves unknown rows out, and knows nothing where all are', () => {
    expect(fold([Number.NaN, 2, Number.NaN, 4])).toEqual({ min: 2, mean: 3, max: 4 });
    expect(fold([Number.NaN])).toEqual({ min: Number.NaN, mean: Number.NaN, max: Number.NaN });
  });

  it('takes infinities', () => {
    expect(fold([1, Infinity])).toEqual({ min: 1, mean: Infinity, max: Infinity });
    expect(fold([-Infinity, 1])).toEqual({ min: -Infinity, mean: -Infinity, max: 1 });
  });
});
