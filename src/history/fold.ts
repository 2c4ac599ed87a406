/**
 * Many rows into few: the least, mean and greatest known value of each bucket of rows.
 *
 * The mean weighs each row the same and is rounded to a 32-bit float, one part in 16 million, since
 * the mean of integers has as many digits as a double holds and would not compress. It stays within
 * min and max. A bucket with nothing known is NaN in all three.
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

function roundMean(sum: number, count: number, min: number, max: number): number {
  if (count === 0) return Number.NaN;
  return Math.min(max, Math.max(min, Math.fround(sum / count)));
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
