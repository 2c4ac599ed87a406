import { median } from './select.ts';

/** Times in ms, rising, and the values at them. */
export interface Points {
  readonly t: Float64Array;
  readonly v: Float64Array;
}

/** The points whose value is known, that is, a finite number. */
export function knownPoints({ t, v }: Points): Points {
  const known = v.reduce((count, value) => (Number.isFinite(value) ? count + 1 : count), 0);
  if (known === v.length) return { t, v };
  return { t: t.filter((_, i) => Number.isFinite(v[i])), v: v.filter(Number.isFinite) };
}

/**
 * At most `limit` points: each is the median value and the mean time of one of `limit` equal
 * stretches of time. A median and not every k-th point, so that a spike neither decides nor is
 * hit by chance. Empty stretches give no point. O(n).
 */
export function thin(points: Points, limit: number): Points {
  const { t, v } = points;
  if (t.length <= limit) return points;
  const firstMs = t[0]!;
  const stretchMs = (t.at(-1)! - firstMs) / limit;
  const thinT = new Float64Array(limit);
  const thinV = new Float64Array(limit);
  let count = 0;
  let start = 0;
  for (let stretch = 1; stretch <= limit; stretch++) {
    let end = start;
    const endMs = stretch === limit ? Infinity : firstMs + stretch * stretchMs;
    while (end < t.length && t[end]! < endMs) end++;
    if (end === start) continue;
    thinT[count] = mean(t.subarray(start, end));
    thinV[count++] = median(v.slice(start, end));
    start = end;
  }
  return { t: thinT.subarray(0, count), v: thinV.subarray(0, count) };
}

function mean(values: Float64Array): number {
  let sum = 0;
  const first = values[0]!;
  for (let i = 0; i < values.length; i++) sum += values[i]! - first;
  return first + sum / values.length;
}
