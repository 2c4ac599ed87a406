import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, select } from '../../../src/detect/select.ts';

const numbers = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 3 })), {
  minLength: 1,
  maxLength: 300,
});

describe('select', () => {
  it('is what sorting finds, and loses no value', () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (values, at) => {
        const k = at % values.length;
        const reordered = Float64Array.from(values);
        const sorted = Float64Array.from(values).sort();
        expect(select(reordered, k) + 0).toBe((sorted[k] ?? NaN) + 0);
        expect(reordered.sort()).toEqual(sorted);
      }),
    );
  });

  it('may go on from a smaller rank', () => {
    fc.assert(
      fc.property(numbers, fc.nat(), fc.nat(), (values, a, b) => {
        const [low = 0, high = 0] = [a % values.length, b % values.length].sort((x, y) => x - y);
        const reordered = Float64Array.from(values);
        select(reordered, low);
        const sorted = Float64Array.from(values).sort();
        expect(select(reordered, high, low) + 0).toBe((sorted[high] ?? NaN) + 0);
      }),
    );
  });
});

describe('median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median(Float64Array.of(3, 1, 2))).toBe(2);
    expect(median(Float64Array.of(4, 1, 3, 2))).toBe(2.5);
    expect(median(Float64Array.of(7))).toBe(7);
  });
});
