/**
 * What was sampled, as far back as retention and memory allow.
 *
 * One table: a column of time shared by all series, and a column of doubles for each. Rows wait
 * uncompressed until `flush` turns them into a small segment; `compact` merges small segments into
 * large ones and, when memory runs short, the oldest into coarser ones. Pure: no clock and no I/O;
 * what was done is returned for the caller to store. Times are whole milliseconds and rise; windows
 * are inclusive at both ends; NaN is unknown. A column is NaN before it was created.
 */
import { createCatalog } from './catalog.ts';
import { createColumnNames, type SeriesKey } from './column-names.ts';
import { planMerge } from './compaction-plan.ts';
import { createFlush } from './flush.ts';
import { type Merge, startMerge } from './merge.ts';
import { createPendingRows } from './pending-rows.ts';
import { createQueries, type Queries } from './queries.ts';
import { namesById, withoutOverlaps } from './reconcile.ts';
import type { Segment } from './segment.ts';
import type { Table } from './window.ts';

export type { Buckets } from './buckets.ts';
export type { SeriesKey } from './column-names.ts';
export type { Columns, PointWindow } from './queries.ts';
export type { Resolution } from './resolution.ts';
export type { Segment, SegmentMeta } from './segment.ts';
export type { WindowStats } from './window-stats.ts';

export interface HistoryLimits {
  readonly retentionMs: number;
  readonly maxBytes: number;
}

export interface HistoryOptions extends HistoryLimits {
  /** 50,000 unless told */
  readonly maxColumns?: number;
  /** rows of a full-resolution segment; 600 unless told */
  readonly rowsPerSegment?: number;
}

/** What the caller has to store. Apply as one transaction: segments replace each other. */
export interface HistoryChange {
  /** new since the last change */
  readonly keys: SeriesKey[];
  readonly insert: Segment[];
  /** ids of segments */
  readonly remove: number[];
}

export interface History extends Queries {
  /** The column of `<target>/<series>`, created on first use; RangeError past `maxColumns`. */
  column(key: string): number;
  find(key: string): number | undefined;
  /** index = id */
  keys(): readonly string[];
  readonly width: number;
  /** All compressed and pending rows, summaries and work in progress; names apart. */
  readonly bytes: number;
  /** NaN when empty, like `lastMs` */
  readonly firstMs: number;
  readonly lastMs: number;
  /** `compact` has nothing to do until something changes */
  readonly settled: boolean;
  /** a lower limit waits for merges: the sooner the better */
  readonly shrinking: boolean;
  /** segments dropped because memory was short, before their retention was over */
  readonly droppedForMemory: number;
  /**
   * Adds a row; `row[id]` is the value of a column, and `row` may be longer than `width`. Throws
   * RangeError when the time is not a whole number or not after the last. Cost: one copy.
   */
  append(timeMs: number, row: Float64Array): void;
  /** Moves all times, for when the wall clock is stepped. Cost: a few objects a segment. */
  rebase(deltaMs: number): void;
  /** Compresses the pending rows and drops what is too old; null when nothing changed. */
  flush(): HistoryChange | null;
  /** At most `maxColumns` columns of merging; null until a merge is done or something dropped. */
  compact(maxColumns: number): HistoryChange | null;
  /**
   * Takes back what was stored, before the first append; any order. The first append then adds an
   * unknown row just after the last, so that the time between two runs shows as a gap. Segments that
   * a lost write left over are named in the next change. Throws RangeError, having changed nothing,
   * when names contradict each other or are too many.
   */
  restore(keys: readonly SeriesKey[], segments: readonly Segment[]): void;
  /** The last appended value; NaN before the first. */
  latest(id: number): number;
  /**
   * Takes effect at the next flush or compact. Under a lower `maxBytes` what is too much becomes
   * coarser, merge by merge; only what then still does not fit is dropped.
   */
  setLimits(limits: HistoryLimits): void;
}

function checkLimits({ retentionMs, maxBytes }: HistoryLimits): HistoryLimits {
  if (retentionMs > 0 && maxBytes > 0) return { retentionMs, maxBytes };
  throw new RangeError(
    `Limits must be greater than 0, not ${retentionMs} ms and ${maxBytes} bytes`,
  );
}

/** An empty history. Throws RangeError on limits that are not positive. */
export function createHistory(options: HistoryOptions): History {
  const names = createColumnNames(options.maxColumns ?? 50_000);
  const catalog = createCatalog();
  const pending = createPendingRows();
  const compress = createFlush();
  const rowsPerSegment = options.rowsPerSegment ?? 600;
  let limits = checkLimits(options);
  let merge: Merge | null = null;
  let settled = false; // nothing to merge or drop until something changes
  let shrinking = false; // the limit was lowered: merge what can be merged, and only then drop
  let lastRow = new Float64Array(0);
  let nextId = 1;
  let resumed = false;
  let stale: number[] = [];
  let droppedForMemory = 0;
  const table: Table = {
    get segments() {
      return catalog.segments;
    },
    pending,
  };

  function heldBytes(): number {
    return catalog.bytes + pending.bytes + lastRow.byteLength + (merge?.bytes ?? 0);
  }

  function lastMs(): number {
    return pending.rows > 0 ? pending.lastMs : (catalog.segments.at(-1)?.lastMs ?? Number.NaN);
  }

  /** Drops what is past retention, then the oldest until the rest fits; the ids dropped. */
  function dropExcess(): number[] {
    const dropped: number[] = [];
    const expiredMs = lastMs() - limits.retentionMs;
    for (let oldest = catalog.segments[0]; oldest; oldest = catalog.segments[0]) {
      const expired = oldest.lastMs < expiredMs;
      if (!expired && (shrinking || heldBytes() <= limits.maxBytes)) break;
      if (!expired) droppedForMemory += 1;
      if (merge?.sources[0]?.id === oldest.id) merge = null;
      catalog.dropOldest();
      dropped.push(oldest.id);
    }
    return dropped;
  }

  /** Drops the excess and says what the caller has to store; what came and went at once is not told. */
  function commit(added: Segment | null, replaced: readonly Segment[]): HistoryChange | null {
    settled = false;
    const dropped = dropExcess();
    const kept = added && !dropped.includes(added.id);
    const remove = [
      ...stale,
      ...replaced.map(({ id }) => id),
      ...dropped.filter((id) => id !== added?.id),
    ];
    if (!kept && remove.length === 0) return null;
    stale = [];
    return { keys: names.takeNew(), insert: kept ? [added] : [], remove };
  }

  return {
    ...createQueries(table),
    column: names.idOf,
    find: names.find,
    keys: () => names.keys,
    get width() {
      return names.keys.length;
    },
    get bytes() {
      return heldBytes();
    },
    get firstMs() {
      return catalog.segments[0]?.firstMs ?? pending.firstMs;
    },
    get lastMs() {
      return lastMs();
    },
    get settled() {
      return settled;
    },
    get shrinking() {
      return shrinking;
    },
    get droppedForMemory() {
      return droppedForMemory;
    },

    append(timeMs, row) {
      const width = names.keys.length;
      if (!Number.isSafeInteger(timeMs) || timeMs <= lastMs()) {
        throw new RangeError(`Time ${timeMs} is not a whole number after ${lastMs()}`);
      }
      if (row.length < width) throw new RangeError(`Row of ${row.length} for ${width} columns`);
      if (resumed && timeMs > lastMs() + 1) {
        pending.append(lastMs() + 1, new Float64Array(width).fill(Number.NaN), width);
      }
      resumed = false;
      pending.append(timeMs, row, width);
      if (lastRow.length < width) lastRow = new Float64Array(width * 2).fill(Number.NaN);
      lastRow.set(row.subarray(0, width));
    },

    rebase(deltaMs) {
      if (!Number.isSafeInteger(deltaMs)) throw new RangeError(`Cannot move times by ${deltaMs}`);
      settled = false;
      merge = null; // its sources carry the old times
      catalog.shift(deltaMs);
      pending.shift(deltaMs);
    },

    flush() {
      if (pending.rows === 0) return commit(null, []);
      const likelyIds = catalog.segments.at(-1)?.columnIds;
      const flushed = catalog.add(
        compress(pending, { id: nextId++, width: names.keys.length, likelyIds }),
      );
      pending.clear();
      return commit(flushed, []);
    },

    compact(maxColumns) {
      if (settled) return null;
      merge ??= nextMerge();
      if (!merge) {
        shrinking = false;
        const change = commit(null, []);
        settled = true;
        return change;
      }
      const merged = merge.step(maxColumns);
      if (!merged) return commit(null, []);
      const { sources } = merge;
      merge = null;
      return commit(catalog.replace(sources, merged), sources);
    },

    restore(keys, segments) {
      if (catalog.segments.length + pending.rows + names.keys.length > 0) {
        throw new RangeError('Only an empty history can be restored');
      }
      const remembered = new Set<number>();
      for (const { columnIds } of segments) for (const id of columnIds) remembered.add(id);
      names.restore(namesById(keys, segments), remembered);
      const { kept, leftOver } = withoutOverlaps(segments);
      for (const segment of kept) catalog.add(segment);
      stale = leftOver.map(({ id }) => id);
      resumed = kept.length > 0;
      nextId = segments.reduce((next, { id }) => Math.max(next, id + 1), nextId);
    },

    latest: (id) => lastRow[id] ?? Number.NaN,

    setLimits(next) {
      shrinking ||= next.maxBytes < limits.maxBytes;
      limits = checkLimits(next);
      settled = false;
    },
  };

  function nextMerge(): Merge | null {
    const plan = planMerge(catalog.segments, heldBytes(), { ...limits, rowsPerSegment });
    return plan && startMerge(plan, nextId++);
  }
}
