/** The least, greatest, sum and number of the known values; infinities until there is one. */
export interface Summary {
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** A summary of nothing. */
export function emptySummary(): Summary {
  return { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, count: 0 };
}

/** Makes it a summary of nothing again. */
export function clearSummary(summary: Summary): void {
  summary.min = Number.POSITIVE_INFINITY;
  summary.max = Number.NEGATIVE_INFINITY;
  summary.sum = 0;
  summary.count = 0;
}

/** Adds `values[from]` up to, not including, `values[to]`; NaN is skipped. */
export function addValues(summary: Summary, values: Float64Array, from: number, to: number): void {
  let { min, max, sum, count } = summary;
  for (let row = from; row < to; row++) {
    const value = values[row]!;
    if (Number.isNaN(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count += 1;
  }
  summary.min = min;
  summary.max = max;
  summary.sum = sum;
  summary.count = count;
}

/** Adds what is already summed up. */
export function addSummary(summary: Summary, other: Readonly<Summary>): void {
  if (other.min < summary.min) summary.min = other.min;
  if (other.max > summary.max) summary.max = other.max;
  summary.sum += other.sum;
  summary.count += other.count;
}
