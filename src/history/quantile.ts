/**
 * The q-quantile of the known values, between neighbours by linear interpolation (type 7 of Hyndman
 * and Fan 1996, what R, numpy and Excel use). NaN when none is known. Cost: a sort.
 */
export function quantileOf(values: Float64Array, q: number): number {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (known.length === 0) return Number.NaN;
  const rank = Math.min(1, Math.max(0, q)) * (known.length - 1);
  const below = known[Math.floor(rank)]!;
  const above = known[Math.ceil(rank)]!;
  return below === above ? below : below + (above - below) * (rank % 1);
}
