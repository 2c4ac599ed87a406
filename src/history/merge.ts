/**
 * Several adjacent segments into one: end to end when every row is kept, folded into equal steps
 * when not. Work is sliced by columns so that no call takes long; the sources stay whole until it is
 * done. Summaries are added up from the sources and so stay exact at every level.
 */
import { type Folded, foldRows } from './fold.ts';
import { createFrame } from './frame.ts';
import {
  type Level,
  readStream,
  readTimes,
  type Segment,
  streamsAt,
  summaryOf,
} from './segment.ts';
import { createSegmentBuilder } from './segment-builder.ts';
import { addSummary, emptySummary } from './summary.ts';

/** What to merge, and into what. */
export interface MergePlan {
  /** adjacent, oldest first, at least one */
  readonly sources: readonly Segment[];
  readonly level: Level;
  readonly stepMs: number;
}

export interface Merge {
  readonly sources: readonly Segment[];
  /** memory in use until it is done */
  readonly bytes: number;
  /** Merges up to `maxColumns` more columns; returns the segment when that was the last. */
  step(maxColumns: number): Segment | null;
}

/** Ids that occur in any of the sources, ascending. */
function unionOfIds(sources: readonly Segment[]): Uint32Array {
  const first = sources[0]?.columnIds ?? new Uint32Array(0);
  if (sources.every(({ columnIds }) => columnIds === first)) return first;
  const ids = new Set<number>();
  for (const { columnIds } of sources) for (const id of columnIds) ids.add(id);
  return Uint32Array.from(ids).sort();
}

interface Rows {
  /** of the output */
  readonly times: Float64Array;
  readonly bucketByRow: Uint32Array;
}

/** Which rows of the sources become which row of the output, where rows are folded. Empty buckets make no row. */
function planRows(sources: readonly Segment[], stepMs: number): Rows {
  const times = new Float64Array(sources.reduce((sum, { rows }) => sum + rows, 0));
  let at = 0;
  for (const source of sources) {
    readTimes(source, times, at);
    at += source.rows;
  }
  const bucketByRow = new Uint32Array(times.length);
  if (stepMs === 0) return { times, bucketByRow };
  const firstMs = times[0] ?? 0;
  let buckets = 0;
  for (let row = 0; row < times.length; row++) {
    const startMs = firstMs + Math.floor((times[row]! - firstMs) / stepMs) * stepMs;
    // Rows are read before they are overwritten: there are never more buckets than rows.
    if (buckets === 0 || startMs > times[buckets - 1]!) times[buckets++] = startMs;
    bucketByRow[row] = buckets - 1;
  }
  return { times: times.slice(0, buckets), bucketByRow };
}

function createFolded(rows: number): Folded {
  return { min: createFrame(rows), mean: createFrame(rows), max: createFrame(rows) };
}

/** Walks the columns of a source: asked for them in ascending order, it need not search. */
class Cursor {
  readonly segment: Segment;
  /** of the column, -1 when the segment has none such */
  index = -1;
  varies = false;
  #nextIndex = 0;
  #nextSlot = 0;

  constructor(segment: Segment) {
    this.segment = segment;
  }

  seek(id: number): void {
    const { columnIds, varying } = this.segment;
    while (this.#nextIndex < columnIds.length && columnIds[this.#nextIndex]! < id)
      this.#nextIndex++;
    this.index = columnIds[this.#nextIndex] === id ? this.#nextIndex : -1;
    while (this.#nextSlot < varying.length && varying[this.#nextSlot]! < this.index)
      this.#nextSlot++;
    this.varies = this.index >= 0 && varying[this.#nextSlot] === this.index;
  }
}

/** The column has the same value throughout all segments. */
function standsStill(cursors: readonly Cursor[]): boolean {
  const { segment, index } = cursors[0]!;
  return cursors.every(
    (cursor) =>
      cursor.index >= 0 &&
      !cursor.varies &&
      Object.is(cursor.segment.min[cursor.index], segment.min[index]),
  );
}

/** Starts a merge; nothing but the times is read yet. */
export function startMerge({ sources, level, stepMs }: MergePlan, id: number): Merge {
  const ids = unionOfIds(sources);
  const { times, bucketByRow } = planRows(sources, stepMs);
  const firstMs = sources[0]?.firstMs ?? Number.NaN;
  const lastMs = sources.at(-1)?.lastMs ?? Number.NaN;
  const meta = { id, level, stepMs, firstMs, lastMs, rows: times.length };
  const likelyBytes = sources.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const builder = createSegmentBuilder({ meta, times, columns: ids.length, likelyBytes });
  const raw = createFrame(bucketByRow.length);
  const folds = streamsAt(level) === 3;
  const fromSteps = sources.some((source) => streamsAt(source.level) === 3);
  const from = fromSteps ? createFolded(bucketByRow.length) : { min: raw, mean: raw, max: raw };
  const into = createFolded(folds ? times.length : 0);
  const streams = folds ? [into.min, into.mean, into.max] : [raw];
  const cursors = sources.map((source) => new Cursor(source));
  let next = 0;

  function addColumn(column: number): void {
    for (const cursor of cursors) cursor.seek(column);
    if (standsStill(cursors)) {
      const { segment, index } = cursors[0]!;
      const samples = cursors.reduce((sum, cursor) => sum + cursor.segment.count[cursor.index]!, 0);
      builder.addConstant(column, segment.min[index]!, samples);
      return;
    }
    const summary = emptySummary();
    let at = 0;
    for (const { segment: source, index } of cursors) {
      if (index >= 0) addSummary(summary, summaryOf(source, index));
      readStream(source, index, 'mean', from.mean, at);
      if (fromSteps) {
        readStream(source, index, 'min', from.min, at);
        readStream(source, index, 'max', from.max, at);
      }
      at += source.rows;
    }
    if (folds) foldRows({ from, bucketByRow, into });
    builder.add(column, streams, summary);
  }

  return {
    sources,
    get bytes() {
      return builder.bytes;
    },
    step(maxColumns) {
      const end = Math.min(ids.length, next + maxColumns);
      while (next < end) addColumn(ids[next++]!);
      return next === ids.length ? builder.finish() : null;
    },
  };
}
