/**
 * Storage may have lost a write: a merge whose sources were never removed, a name never inserted.
 * What is left is put in order here, so that a lost write costs what it held and not the rest.
 */
import type { SeriesKey } from './column-names.ts';
import type { Segment } from './segment.ts';

export interface Reconciled {
  /** oldest first, none overlapping another */
  readonly kept: Segment[];
  readonly leftOver: Segment[];
}

/** Where segments overlap, the one with the highest id stays: a merge is newer than its sources. */
export function withoutOverlaps(segments: readonly Segment[]): Reconciled {
  const kept: Segment[] = [];
  const leftOver: Segment[] = [];
  for (const segment of segments.toSorted((a, b) => b.id - a.id)) {
    const covered = kept.some(
      ({ firstMs, lastMs }) => segment.firstMs <= lastMs && segment.lastMs >= firstMs,
    );
    (covered ? leftOver : kept).push(segment);
  }
  return { kept: kept.sort((a, b) => a.firstMs - b.firstMs), leftOver };
}

/**
 * The name of every column up to the highest id in use; a lost one is `?/<id>`, so that later ids
 * stay right. Throws RangeError when an id or a name occurs twice.
 */
export function namesById(keys: readonly SeriesKey[], segments: readonly Segment[]): string[] {
  const keyById = new Map(keys.map(({ id, key }) => [id, key]));
  if (keyById.size < keys.length) throw new RangeError('Two names have the same column id');
  if (new Set(keyById.values()).size < keys.length) {
    throw new RangeError('Two columns have the same name');
  }
  const highestKey = keys.reduce((highest, { id }) => Math.max(highest, id), -1);
  const highest = segments.reduce(
    (id, { columnIds }) => Math.max(id, columnIds.at(-1) ?? -1),
    highestKey,
  );
  return Array.from({ length: highest + 1 }, (_, id) => keyById.get(id) ?? `?/${id}`);
}
