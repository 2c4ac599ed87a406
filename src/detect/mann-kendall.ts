/**
 * Whether later values tend to be higher than earlier ones (Mann-Kendall).
 *
 * Definition: S = pairs that rise minus pairs that fall. Method: S against its normal
 * approximation, tied values taken out of the variance, one continuity step. The caller multiplies
 * the variance by what correlated noise adds. Assumptions: at least 10 values.
 * Cost: O(n log n) here; the pairs are counted from the slopes that Theil-Sen needs anyway.
 * Source: Mann 1945; Kendall 1975 (ties).
 */

/** S of the slopes between all pairs. */
export function kendallScore(slopes: Float64Array): number {
  let score = 0;
  for (let i = 0; i < slopes.length; i++) score += Math.sign(slopes[i]!);
  return score;
}

/** Variance of S for independent values. */
export function kendallVariance(v: Float64Array): number {
  const sorted = v.slice().sort();
  let total = pairSpread(v.length);
  let start = 0;
  for (let i = 1; i <= sorted.length; i++) {
    if (i < sorted.length && sorted[i] === sorted[start]) continue;
    total -= pairSpread(i - start);
    start = i;
  }
  return total / 18;
}

/** Two-sided p-value of S. */
export function kendallPValue(score: number, variance: number): number {
  if (variance <= 0) return 1;
  const z = Math.max(0, Math.abs(score) - 1) / Math.sqrt(variance);
  return Math.min(1, complementaryError(z / Math.SQRT2));
}

function pairSpread(n: number): number {
  return n * (n - 1) * (2 * n + 5);
}

/** erfc for x >= 0, relative error below 1.2e-7 (Numerical Recipes, erfcc). */
function complementaryError(x: number): number {
  const t = 1 / (1 + x / 2);
  const polynomial = ERFC.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return t * Math.exp(polynomial - x * x);
}

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];
