import { median, select } from './select.ts';

/**
 * The slope of a line through noisy points, as the median slope of all pairs.
 *
 * Assumptions: times rise. When it errs: more than 29 % of outliers. Cost: n(n - 1) / 2 slopes.
 * Source: Theil 1950, Sen 1968 (with the interval).
 */

/** Slopes between all pairs of points, in value per unit of time; pairs at one time are left out. */
export function pairSlopes(t: Float64Array, v: Float64Array): Float64Array {
  const slopes = new Float64Array((t.length * (t.length - 1)) / 2);
  let count = 0;
  for (let i = 1; i < t.length; i++) {
    for (let j = 0; j < i; j++) {
      const slope = (v[i]! - v[j]!) / (t[i]! - t[j]!);
      if (Number.isFinite(slope)) slopes[count++] = slope;
    }
  }
  return slopes.subarray(0, count);
}

export interface Slope {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Median slope with Sen's interval.
 *
 * @param slopes at least one; reordered
 * @param halfWidth how many ranks the interval is wide, z * sqrt(variance of S); Infinity takes all
 */
export function medianSlope(slopes: Float64Array, halfWidth: number): Slope {
  const last = slopes.length - 1;
  const lowRank = Math.max(0, Math.floor((slopes.length - halfWidth) / 2));
  const highRank = Math.min(last, Math.ceil((slopes.length + halfWidth) / 2));
  return {
    slope: median(slopes),
    low: select(slopes, lowRank),
    high: select(slopes, highRank),
  };
}
