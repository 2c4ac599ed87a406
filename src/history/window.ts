import { createFrame } from './frame.ts';
import type { PendingRows } from './pending-rows.ts';
import { indexIn, readStream, readTimes, type Segment, type Stream } from './segment.ts';

/** All there is to read: segments, oldest first, then the rows not flushed yet. */
export interface Table {
  readonly segments: readonly Segment[];
  readonly pending: PendingRows;
}

/** The rows of a stretch of time, whatever levels they come from. */
export interface Window {
  /** ascending; of a coarse row, its start */
  readonly t: Float64Array;
  /** One column; a row of full resolution is its own min, mean and max. */
  read(id: number, stream: Stream): Float64Array;
}

/** Index of the first of the rising `values` that is at least `bound`; their number when none is. */
export function lowerBound(values: ArrayLike<number>, bound: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first of the rising whole numbers `values` that is greater than `bound`. */
export function upperBound(values: ArrayLike<number>, bound: number): number {
  return lowerBound(values, Math.floor(bound) + 1);
}

/** The segments that touch [fromMs, toMs]. */
export function segmentsWithin(
  segments: readonly Segment[],
  fromMs: number,
  toMs: number,
): readonly Segment[] {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.lastMs < fromMs) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < segments.length && segments[end]!.firstMs <= toMs) end += 1;
  return segments.slice(low, end);
}

/** True when unflushed rows may lie in [fromMs, toMs]. */
export function touchesPending({ pending }: Table, fromMs: number, toMs: number): boolean {
  return pending.firstMs <= toMs && pending.lastMs >= fromMs;
}

/** Opens [fromMs, toMs], both inclusive. Cost: the times now, each column when it is read. */
export function openWindow(table: Table, fromMs: number, toMs: number): Window {
  const segments = segmentsWithin(table.segments, fromMs, toMs);
  const pending = touchesPending(table, fromMs, toMs) ? table.pending : null;
  const sealedRows = segments.reduce((sum, { rows }) => sum + rows, 0);
  const rows = sealedRows + (pending?.rows ?? 0);
  const times = new Float64Array(rows);
  let at = 0;
  for (const segment of segments) {
    readTimes(segment, times, at);
    at += segment.rows;
  }
  if (pending) times.set(pending.times, sealedRows);
  const from = lowerBound(times, fromMs);
  const to = Math.max(from, upperBound(times, toMs));

  return {
    t: times.subarray(from, to),
    read(id, stream) {
      const frame = createFrame(rows);
      let row = 0;
      for (const segment of segments) {
        readStream(segment, indexIn(segment.columnIds, id), stream, frame, row);
        row += segment.rows;
      }
      pending?.readColumn(id, frame, sealedRows);
      return frame.values.subarray(from, to);
    },
  };
}
