/**
 * Many rows into few: the least, mean and greatest known value of each bucket of rows.
 *
 * The mean weighs each row the same and is rounded to a 256th or less of what lies between min and
 * max, since the mean of integers has as many digits as a double holds and would not compress: the
 * digits kept are those that its own bucket gives a meaning. It stays within min and max. A bucket
 * with nothing known is NaN in all three.
 */
import type { Frame } from './frame.ts';

export interface Folded {
  readonly min: Frame;
  readonly mean: Frame;
  readonly max: Frame;
}

export interface FoldOptions {
  /** the input, which may be one and the same frame three times */
  readonly from: Folded;
  /** for each row of the input, its row of the output; rising */
  readonly bucketByRow: Uint32Array;
  readonly into: Folded;
}

const STEPS_OF_RANGE = 256;

function roundMean(sum: number, count: number, min: number, max: number): number {
  if (count === 0) return Number.NaN;
  const mean = Math.min(max, Math.max(min, sum / count));
  const step = 2 ** Math.floor(Math.log2((max - min) / STEPS_OF_RANGE));
  const steps = mean / step;
  // nothing differs, or by more or less than a double can divide by
  if (step === Infinity || !Number.isFinite(steps)) return mean;
  return Math.min(max, Math.max(min, Math.round(steps) * step));
}

/** Folds every row of `from`; each output row must own at least one of them. */
export function foldRows({ from, bucketByRow, into }: FoldOptions): void {
  const mins = from.min.values;
  const means = from.mean.values;
  const maxes = from.max.values;
  const end = bucketByRow.length;
  let row = 0;
  while (row < end) {
    const bucket = bucketByRow[row]!;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let sum = 0;
    let count = 0;
    for (; row < end && bucketByRow[row] === bucket; row++) {
      if (Number.isNaN(means[row])) continue;
      min = Math.min(min, mins[row]!);
      max = Math.max(max, maxes[row]!);
      sum += means[row]!;
      count += 1;
    }
    into.min.values[bucket] = count === 0 ? Number.NaN : min;
    into.mean.values[bucket] = roundMean(sum, count, min, max);
    into.max.values[bucket] = count === 0 ? Number.NaN : max;
  }
}
