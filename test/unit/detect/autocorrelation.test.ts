import { describe, expect, it } from 'vitest';
import { varianceInflation } from '../../../src/detect/autocorrelation.ts';
import { noise } from './noise.ts';

const t = Float64Array.from({ length: 200 }, (_, i) => i);

/** Mean inflation over seeded runs of AR(1) noise on a curve. */
function meanInflation(phi: number, curve: (x: number) => number = () => 0): number {
  let sum = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const v = noise({ seed, points: 200, phi }).map((value, i) => value + curve(i / 200));
    sum += varianceInflation(t, v);
  }
  return sum / 100;
}

describe('varianceInflation', () => {
  it('is about (1 + r) / (1 - r), and about 1 for white noise', () => {
    expect(meanInflation(0)).toBeGreaterThanOrEqual(1);
    expect(meanInflation(0)).toBeLessThan(1.2);
    expect(meanInflation(0.5)).toBeGreaterThan(2.5);
    expect(meanInflation(0.5)).toBeLessThan(3.5);
    expect(meanInflation(0.8)).toBeGreaterThan(7);
    expect(meanInflation(0.8)).toBeLessThan(12);
  });

  it('does not take a trend or its curvature for correlation', () => {
    expect(meanInflation(0, (x) => 1000 * x - 500 * x * x)).toBeCloseTo(meanInflation(0), 6);
  });

  it('is a number when all points are at two times', () => {
    const twoTimes = t.map((_, i) => (i < 100 ? 0 : 1));
    expect(varianceInflation(twoTimes, noise({ seed: 1, points: 200, phi: 0 }))).toBeLessThan(1.5);
  });

  it('is 1 for a constant, and never below 1', () => {
    expect(varianceInflation(t, new Float64Array(200))).toBe(1);
    expect(
      varianceInflation(
        t,
        t.map((_, i) => (i % 2 === 0 ? 1 : -1)),
      ),
    ).toBe(1);
  });
});
