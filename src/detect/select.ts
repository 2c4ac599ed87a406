/**
 * The k-th smallest of a few numbers (Hoare's quickselect, median of three).
 *
 * Reorders `values`. A later call on the same array with a larger `k` may pass the earlier `k` as
 * `from`, which then costs less. Assumes no NaN. O(n) expected; no allocation.
 */
export function select(values: Float64Array, k: number, from = 0): number {
  let low = from;
  let high = values.length - 1;
  while (low < high) {
    const pivot = medianOfThree(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const swapped = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swapped;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return values[k]!;
  }
  return values[k]!;
}

/** Median of at least one number; reorders them. */
export function median(values: Float64Array): number {
  const middle = values.length >>> 1;
  if (values.length % 2 === 1) return select(values, middle);
  const below = select(values, middle - 1);
  return (below + select(values, middle, middle)) / 2;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
