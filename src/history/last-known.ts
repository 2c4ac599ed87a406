import { createFrame } from './frame.ts';
import { indexIn, readStream, readTimes, type Segment } from './segment.ts';
import { segmentsWithin, type Table, upperBound } from './window.ts';

function lastIn(segment: Segment, index: number, fromMs: number, toMs: number): number {
  const times = new Float64Array(segment.rows);
  readTimes(segment, times, 0);
  const frame = createFrame(segment.rows);
  readStream(segment, index, 'mean', frame, 0);
  for (let row = upperBound(times, toMs) - 1; row >= 0 && times[row]! >= fromMs; row--) {
    const value = frame.values[row]!;
    if (!Number.isNaN(value)) return value;
  }
  return Number.NaN;
}

/** The newest known value in [fromMs, toMs], or NaN. Opens no segment that cannot hold it. */
export function lastKnown(table: Table, id: number, fromMs: number, toMs: number): number {
  const { pending } = table;
  const { times } = pending;
  for (let row = upperBound(times, toMs) - 1; row >= 0 && times[row]! >= fromMs; row--) {
    const value = pending.value(row, id);
    if (!Number.isNaN(value)) return value;
  }
  for (const segment of segmentsWithin(table.segments, fromMs, toMs).toReversed()) {
    const index = indexIn(segment.columnIds, id);
    const value = index < 0 ? Number.NaN : lastIn(segment, index, fromMs, toMs);
    if (!Number.isNaN(value)) return value;
  }
  return Number.NaN;
}
