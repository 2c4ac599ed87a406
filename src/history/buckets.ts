import type { Window } from './window.ts';

export interface BucketGrid {
  readonly fromMs: number;
  readonly toMs: number;
  /** number of buckets */
  readonly points: number;
}

export interface Buckets {
  /** start of each bucket */
  readonly t: Float64Array;
  readonly min: Float64Array[];
  readonly mean: Float64Array[];
  readonly max: Float64Array[];
}

/** The bucket of each row; a row at the very end belongs to the last. */
function bucketsOfRows(t: Float64Array, { fromMs, toMs, points }: BucketGrid): Uint32Array {
  const perMs = toMs > fromMs ? points / (toMs - fromMs) : 0;
  return Uint32Array.from(t, (timeMs) =>
    Math.min(points - 1, Math.floor((timeMs - fromMs) * perMs)),
  );
}

/** Least, mean and greatest of each equal bucket of time; NaN where nothing is known. */
export function bucketWindow(window: Window, ids: readonly number[], grid: BucketGrid): Buckets {
  const bucketByRow = bucketsOfRows(window.t, grid);
  const widthMs = (grid.toMs - grid.fromMs) / grid.points;
  const t = Float64Array.from({ length: grid.points }, (_, n) => grid.fromMs + n * widthMs);
  const buckets: Buckets = { t, min: [], mean: [], max: [] };
  for (const id of ids) {
    const min = new Float64Array(grid.points).fill(Number.NaN);
    const max = new Float64Array(grid.points).fill(Number.NaN);
    const mean = new Float64Array(grid.points);
    const counts = new Uint32Array(grid.points);
    const mins = window.read(id, 'min');
    const means = window.read(id, 'mean');
    const maxes = window.read(id, 'max');
    for (let row = 0; row < means.length; row++) {
      if (Number.isNaN(means[row])) continue;
      const bucket = bucketByRow[row]!;
      // Not (a >= b) rather than a < b: true of the NaN that a bucket starts with.
      if (!(min[bucket]! <= mins[row]!)) min[bucket] = mins[row]!;
      if (!(max[bucket]! >= maxes[row]!)) max[bucket] = maxes[row]!;
      mean[bucket] = mean[bucket]! + means[row]!;
      counts[bucket] = counts[bucket]! + 1;
    }
    // 0 / 0 is NaN: an empty bucket.
    for (let n = 0; n < mean.length; n++) mean[n] = mean[n]! / counts[n]!;
    buckets.min.push(min);
    buckets.mean.push(mean);
    buckets.max.push(max);
  }
  return buckets;
}
