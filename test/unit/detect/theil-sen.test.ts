import { describe, expect, it } from 'vitest';
import { medianSlope, pairSlopes } from '../../../src/detect/theil-sen.ts';

describe('pairSlopes', () => {
  it('takes every pair once and leaves out pairs at one time', () => {
    const slopes = pairSlopes(Float64Array.of(0, 1, 1, 3), Float64Array.of(0, 2, 4, 6));
    expect([...slopes]).toEqual([2, 4, 2, 2, 1]);
  });
});

describe('medianSlope', () => {
  it('is the middle of the slopes, and Sen 1968 counts the ranks of its interval', () => {
    const slopes = () => Float64Array.of(5, 1, 4, 2, 3, 6, 9, 8, 7, 10);
    expect(medianSlope(slopes(), 4)).toEqual({ slope: 5.5, low: 4, high: 8 });
    expect(medianSlope(slopes(), 0)).toEqual({ slope: 5.5, low: 6, high: 6 });
    expect(medianSlope(slopes(), Infinity)).toEqual({ slope: 5.5, low: 1, high: 10 });
  });
});
