import { varianceInflation } from './autocorrelation.ts';
import { kendallPValue, kendallScore, kendallVariance } from './mann-kendall.ts';
import { median } from './select.ts';
import { signTest } from './sign-test.ts';
import { medianSlope, pairSlopes } from './theil-sen.ts';
import { knownPoints, type Points, thin } from './thin.ts';
import { formatSpan } from './words.ts';

/**
 * Whether memory rises or falls over a span, and how fast.
 *
 * Definition: increasing or decreasing when the order of the values is not chance (p < 0.01) and
 * the line through them moves by more than the dead band over the span; stable otherwise.
 * Method: at most 200 points (medians of equal stretches). Slope by Theil-Sen, with Sen's 95 %
 * interval. Chance by two tests, the better one at half weight (Bonferroni): Mann-Kendall with a
 * variance widened for correlated noise, and the signs of the steps, which sees smooth curves.
 * Dead band: 1 MiB or 1 % of the median value, whichever is more, over the whole span. A slow leak
 * therefore needs a longer span, never a lower standard.
 * Assumptions: one identity of the target; a span of several garbage collection cycles.
 * When it errs: one step is stable, however high. A cache that still fills is increasing: that is
 * the truth, and whether it is a leak is for another detector. Noise passes for a trend in 0.5 % of
 * cases when white, 2 % when its neighbours correlate by 0.9 and 6 % by 0.99 (120 points); the
 * interval then holds the true slope in 96, 92 and 80 %. More points over a longer span cure both.
 * Cost: O(n) for the input and O(200^2) for the rest; see bench/detect.mjs.
 * Source: theil-sen.ts, mann-kendall.ts, autocorrelation.ts, sign-test.ts.
 */

export interface Trend {
  readonly direction: 'stable' | 'increasing' | 'decreasing' | 'unknown';
  /** NaN when unknown, as are the other figures but `points` and `spanMs` */
  readonly slopeBytesPerHour: number;
  /** 95 % interval of the slope */
  readonly lowBytesPerHour: number;
  readonly highBytesPerHour: number;
  /** two-sided; chance of such an order without a trend */
  readonly pValue: number;
  /** known points, before thinning */
  readonly points: number;
  /** from the first to the last known point; 0 without one */
  readonly spanMs: number;
  /** why the direction is unknown, else null */
  readonly reason: string | null;
}

const MAX_POINTS = 200;
const MIN_POINTS = 20;
const MIN_SPAN_MS = 300_000;
const SIGNIFICANT = 0.01;
const Z_95 = 1.96;
const DEAD_BAND_BYTES = 2 ** 20;
const DEAD_BAND_SHARE = 0.01;
const HOUR_MS = 3_600_000;

/**
 * @param t ms, rising
 * @param v bytes; NaN is skipped
 * @throws RangeError when the lengths differ
 */
export function trend(t: Float64Array, v: Float64Array): Trend {
  if (t.length !== v.length) throw new RangeError(`${t.length} times for ${v.length} values`);
  const known = knownPoints({ t, v });
  const points = known.t.length;
  const spanMs = points > 0 ? known.t[points - 1]! - known.t[0]! : 0;
  const reason = tooLittle(points, spanMs);
  if (reason !== null) return { ...UNKNOWN, points, spanMs, reason };

  const line = lineThrough(thin(known, MAX_POINTS));
  const changeBytes = Math.abs(line.slopeBytesPerHour) * (spanMs / HOUR_MS);
  const moves = line.pValue < SIGNIFICANT && changeBytes > deadBandBytes(known.v);
  return { direction: moves ? towards(line) : 'stable', ...line, points, spanMs, reason: null };
}

type Line = Pick<Trend, 'slopeBytesPerHour' | 'lowBytesPerHour' | 'highBytesPerHour' | 'pValue'>;

const UNKNOWN = {
  direction: 'unknown',
  slopeBytesPerHour: NaN,
  lowBytesPerHour: NaN,
  highBytesPerHour: NaN,
  pValue: NaN,
} as const;

function tooLittle(points: number, spanMs: number): string | null {
  if (points < MIN_POINTS) return `${points} known points, at least ${MIN_POINTS} are needed`;
  if (spanMs >= MIN_SPAN_MS) return null;
  return `${formatSpan(spanMs)} of history, at least ${formatSpan(MIN_SPAN_MS)} are needed`;
}

function lineThrough({ t, v }: Points): Line {
  const slopes = pairSlopes(t, v);
  const variance = kendallVariance(v) * varianceInflation(t, v);
  const byOrder = kendallPValue(kendallScore(slopes), variance);
  const { slope, low, high } = medianSlope(slopes, Z_95 * Math.sqrt(variance));
  return {
    slopeBytesPerHour: slope * HOUR_MS,
    lowBytesPerHour: low * HOUR_MS,
    highBytesPerHour: high * HOUR_MS,
    pValue: Math.min(1, 2 * Math.min(byOrder, signTest(v))),
  };
}

function deadBandBytes(v: Float64Array): number {
  return Math.max(DEAD_BAND_BYTES, DEAD_BAND_SHARE * Math.abs(median(v.slice())));
}

function towards({ slopeBytesPerHour }: Line): 'increasing' | 'decreasing' {
  return slopeBytesPerHour > 0 ? 'increasing' : 'decreasing';
}
