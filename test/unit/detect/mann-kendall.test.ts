import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kendallPValue, kendallScore, kendallVariance } from '../../../src/detect/mann-kendall.ts';

describe('Mann-Kendall', () => {
  it('counts rising pairs minus falling ones', () => {
    expect(kendallScore(Float64Array.of(1, 2, -3, 0, 5))).toBe(2);
  });

  it('has the variance of Kendall 1975, with ties', () => {
    expect(kendallVariance(Float64Array.from({ length: 10 }, (_, i) => -i))).toBe(125);
    expect(kendallVariance(Float64Array.of(23, 24, 29, 6, 29, 24, 24, 29, 23))).toBe(
      (1656 - 18 - 66 - 66) / 18,
    );
    expect(kendallVariance(new Float64Array(10))).toBe(0);
  });

  it.each([
    [45, 125, 8.3e-5],
    [1 + 1.959964, 1, 0.05],
    [-1 - 2.575829, 1, 0.01],
    [0, 125, 1],
    [1, 125, 1],
    [3, 0, 1],
  ])('gives S = %d of variance %d the p-value %d', (score, variance, p) => {
    expect(kendallPValue(score, variance)).toBeCloseTo(p, 5);
  });

  it('gives a p-value between 0 and 1, smaller for a larger score', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1 }), (a, b, variance) => {
        const more = kendallPValue(Math.max(a, b), variance);
        const less = kendallPValue(Math.min(a, b), variance);
        expect(more).toBeGreaterThanOrEqual(0);
        expect(more).toBeLessThanOrEqual(less);
        expect(less).toBeLessThanOrEqual(1);
      }),
    );
  });
});
