/**
 * Which rows to draw when there are more than points on the screen, for several series on one axis.
 *
 * Method: each series has an equal share of the points and spends it on its least and greatest value
 * and on largest-triangle-three-buckets (Steinarsson 2013) over equal stretches of time; the rows are
 * the union. So a spike of any series is kept as it was, and every series has a value in the rows
 * that others chose. A gap wider than a stretch takes the pick of the stretch it begins in, and so
 * stays a gap. Extremes and gaps hold while there are at least two points a series and two more.
 * Cost: one pass a series.
 */
import { lowerBound } from './window.ts';

/** First row of each stretch, and the end: stretch i is rows [starts[i], starts[i + 1]). */
function stretchesOf(t: Float64Array, count: number): number[] {
  const firstMs = t[0] ?? 0;
  const widthMs = ((t.at(-1) ?? 0) - firstMs) / count;
  const starts = Array.from({ length: count }, (_, n) => lowerBound(t, firstMs + n * widthMs));
  return [...starts, t.length];
}

/** The first unknown row of each gap that lasts longer than `widerThanMs`. */
function gapRows(t: Float64Array, values: Float64Array, widerThanMs: number): number[] {
  const rows: number[] = [];
  let start = -1;
  for (let row = 0; row <= values.length; row++) {
    if (row < values.length && Number.isNaN(values[row])) {
      if (start < 0) start = row;
      continue;
    }
    const sinceMs = t[Math.max(0, start - 1)]!;
    const untilMs = t[Math.min(row, t.length - 1)]!;
    if (start >= 0 && untilMs - sinceMs > widerThanMs) rows.push(start);
    start = -1;
  }
  return rows;
}

function extremeRows(values: Float64Array): number[] {
  let least = -1;
  let greatest = -1;
  for (let row = 0; row < values.length; row++) {
    if (Number.isNaN(values[row])) continue;
    if (least < 0 || values[row]! < values[least]!) least = row;
    if (greatest < 0 || values[row]! > values[greatest]!) greatest = row;
  }
  return least < 0 ? [] : [least, greatest];
}

interface Point {
  readonly t: number;
  readonly v: number;
}

/** Mean point of the known rows in [from, to), or null. */
function centreOf(t: Float64Array, values: Float64Array, from: number, to: number): Point | null {
  let sumT = 0;
  let sumV = 0;
  let count = 0;
  for (let row = from; row < to; row++) {
    if (Number.isNaN(values[row])) continue;
    sumT += t[row]! - t[from]!;
    sumV += values[row]!;
    count += 1;
  }
  return count === 0 ? null : { t: t[from]! + sumT / count, v: sumV / count };
}

interface Stretches {
  readonly starts: readonly number[];
  /** rising; a stretch that one begins in takes it as its pick */
  readonly gaps: readonly number[];
}

function pickRows(t: Float64Array, values: Float64Array, { starts, gaps }: Stretches): number[] {
  const picks: number[] = [];
  let left: Point | null = null;
  let nextGap = 0;
  for (let n = 0; n + 1 < starts.length; n++) {
    const from = starts[n]!;
    const to = starts[n + 1]!;
    const gap = gaps[nextGap] ?? t.length;
    if (gap < to) {
      picks.push(gap);
      nextGap += 1;
      continue;
    }
    const before: Point | null = left ?? centreOf(t, values, from, to);
    if (!before) continue;
    const after = centreOf(t, values, to, starts[n + 2] ?? to) ?? before;
    const best = largestTriangle(t, values, { from, to, before, after });
    if (best < 0) continue;
    picks.push(best);
    left = { t: t[best]!, v: values[best]! };
  }
  return picks;
}

interface Triangle {
  readonly from: number;
  readonly to: number;
  readonly before: Point;
  readonly after: Point;
}

/** The known row of [from, to) that spans the largest triangle with its neighbours, or -1. */
function largestTriangle(
  t: Float64Array,
  values: Float64Array,
  { from, to, before, after }: Triangle,
): number {
  let best = -1;
  let bestArea = -1;
  for (let row = from; row < to; row++) {
    const area = Math.abs(
      (before.t - after.t) * (values[row]! - before.v) -
        (before.t - t[row]!) * (after.v - before.v),
    );
    if (area > bestArea) {
      best = row;
      bestArea = area;
    }
  }
  return best;
}

function rowsOf(t: Float64Array, values: Float64Array, stretches: number): number[] {
  const extremes = extremeRows(values);
  if (stretches < 1) return extremes;
  const stretchMs = ((t.at(-1) ?? 0) - (t[0] ?? 0)) / stretches;
  const gaps = gapRows(t, values, stretchMs);
  return [...extremes, ...pickRows(t, values, { starts: stretchesOf(t, stretches), gaps })];
}

/** At most `points` rows of `t`, ascending; all of them when they fit. */
export function chooseRows(
  t: Float64Array,
  series: readonly Float64Array[],
  points: number,
): Uint32Array {
  if (t.length <= points) return Uint32Array.from(t, (_, row) => row);
  const share = Math.floor((points - 2) / Math.max(1, series.length));
  const rows = new Set([0, t.length - 1]);
  for (const values of series) {
    for (const row of rowsOf(t, values, share - 2)) rows.add(row);
  }
  const chosen = Uint32Array.from(rows).sort();
  if (chosen.length <= points) return chosen;
  return Uint32Array.from({ length: points }, (_, n) => {
    return chosen[Math.floor((n * chosen.length) / points)]!;
  });
}
