import { type Buckets, bucketWindow } from './buckets.ts';
import { chooseRows } from './downsample.ts';
import { lastKnown } from './last-known.ts';
import { quantileOf } from './quantile.ts';
import { type Resolution, resolutionOf } from './resolution.ts';
import { openWindow, type Table } from './window.ts';
import { type WindowStats, windowStats } from './window-stats.ts';

/** Several series on one axis, in the order asked for. */
export interface Columns {
  readonly t: Float64Array;
  readonly series: Float64Array[];
}

/** A stretch of time and how many points to make of it. */
export interface PointWindow {
  readonly fromMs: number;
  readonly toMs: number;
  /** at least 1; RangeError if not */
  readonly points: number;
}

/** Questions about a window of time, inclusive at both ends. NaN is unknown. */
export interface Queries {
  /** Over the samples of a window. Cost: about 10 µs for 24 h, from the segments' summaries. */
  stats(id: number, fromMs: number, toMs: number): WindowStats;
  /** Linear between neighbours; q from 0 to 1. Cost: decodes and sorts the window. */
  quantile(id: number, fromMs: number, toMs: number, q: number): number;
  /** Median of [atMs - widthMs / 2, atMs + widthMs / 2]; NaN when none is known. */
  medianAround(id: number, atMs: number, widthMs: number): number;
  /** The last known value at or before `atMs`, not older than `maxAgeMs`; else NaN. */
  at(id: number, atMs: number, maxAgeMs: number): number;
  /** Every row, or the mean of coarser ones; unknown rows are kept as NaN. */
  points(id: number, fromMs: number, toMs: number): { t: Float64Array; v: Float64Array };
  /** At most `points` rows that keep the shape, extremes and gaps of each; see downsample.ts. */
  select(ids: readonly number[], window: PointWindow): Columns;
  /** Exactly `points` equal stretches of time; NaN where nothing is known. */
  buckets(ids: readonly number[], window: PointWindow): Buckets;
  /** Which resolution reaches how far, newest first. */
  resolution(): Resolution[];
}

function checkPoints(points: number): void {
  if (!Number.isInteger(points) || points < 1) {
    throw new RangeError(`points must be a whole number of at least 1, not ${points}`);
  }
}

/** Answers from whatever levels the table has: new rows as they are, older ones coarser. */
export function createQueries(table: Table): Queries {
  function quantile(id: number, fromMs: number, toMs: number, q: number): number {
    return quantileOf(openWindow(table, fromMs, toMs).read(id, 'mean'), q);
  }

  return {
    stats: (id, fromMs, toMs) => windowStats(table, id, fromMs, toMs),
    quantile,
    medianAround: (id, atMs, widthMs) => quantile(id, atMs - widthMs / 2, atMs + widthMs / 2, 0.5),
    at: (id, atMs, maxAgeMs) => lastKnown(table, id, atMs - maxAgeMs, atMs),

    points(id, fromMs, toMs) {
      const window = openWindow(table, fromMs, toMs);
      return { t: window.t, v: window.read(id, 'mean') };
    },

    select(ids, { fromMs, toMs, points }) {
      checkPoints(points);
      const window = openWindow(table, fromMs, toMs);
      const series = ids.map((id) => window.read(id, 'mean'));
      const rows = chooseRows(window.t, series, points);
      const take = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]!);
      return { t: take(window.t), series: series.map(take) };
    },

    buckets(ids, grid) {
      checkPoints(grid.points);
      return bucketWindow(openWindow(table, grid.fromMs, grid.toMs), ids, grid);
    },

    resolution: () => resolutionOf(table),
  };
}
