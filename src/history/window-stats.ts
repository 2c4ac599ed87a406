import { createFrame } from './frame.ts';
import { indexIn, readStream, readTimes, type Segment, summaryOf } from './segment.ts';
import { addSummary, addValues, emptySummary, type Summary } from './summary.ts';
import { lowerBound, segmentsWithin, type Table, touchesPending, upperBound } from './window.ts';

/** Over the known values; NaN and a count of 0 when there is none. */
export interface WindowStats {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly count: number;
}

/** The rows of one segment that lie in the window; coarse rows count as the samples they stand for. */
function addPart(
  total: Summary,
  segment: Segment,
  index: number,
  window: { fromMs: number; toMs: number },
): void {
  const times = new Float64Array(segment.rows);
  readTimes(segment, times, 0);
  const from = lowerBound(times, window.fromMs);
  const to = upperBound(times, window.toMs);
  const frame = createFrame(segment.rows);
  readStream(segment, index, 'mean', frame, 0);
  const part = emptySummary();
  addValues(part, frame.values, from, to);
  if (segment.stepMs === 0 || part.count === 0) {
    addSummary(total, part);
    return;
  }
  const known = emptySummary();
  addValues(known, frame.values, 0, segment.rows);
  const samplesPerRow = segment.count[index]! / known.count;
  const range = emptySummary();
  for (const stream of ['min', 'max'] as const) {
    readStream(segment, index, stream, frame, 0);
    addValues(range, frame.values, from, to);
  }
  const sum = part.sum * samplesPerRow;
  addSummary(total, { ...range, sum, count: part.count * samplesPerRow });
}

/**
 * Least, greatest and mean of [fromMs, toMs]. Segments wholly inside answer from their summaries, so
 * 24 h costs little more than the two that stick out. Exact at full resolution; where the window
 * cuts a coarse segment, count and mean assume that its samples were spread evenly over its rows.
 */
export function windowStats(table: Table, id: number, fromMs: number, toMs: number): WindowStats {
  const total = emptySummary();
  let ids: Uint32Array | null = null;
  let index = -1;
  for (const segment of segmentsWithin(table.segments, fromMs, toMs)) {
    if (segment.columnIds !== ids) {
      ids = segment.columnIds;
      index = indexIn(ids, id);
    }
    if (index < 0) continue;
    const inside = segment.firstMs >= fromMs && segment.lastMs <= toMs;
    if (inside) addSummary(total, summaryOf(segment, index));
    else addPart(total, segment, index, { fromMs, toMs });
  }
  if (touchesPending(table, fromMs, toMs)) {
    const { pending } = table;
    const { times } = pending;
    const frame = createFrame(pending.rows);
    pending.readColumn(id, frame, 0);
    addValues(total, frame.values, lowerBound(times, fromMs), upperBound(times, toMs));
  }
  const { min, max, sum, count } = total;
  if (count === 0) return { min: Number.NaN, max: Number.NaN, mean: Number.NaN, count: 0 };
  return { min, max, mean: sum / count, count: Math.round(count) };
}
