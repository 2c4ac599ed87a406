import { equalIds, type Segment, segmentBytes } from './segment.ts';

/** The segments in order of time, none overlapping another, and the memory they hold. */
export interface Catalog {
  /** oldest first */
  readonly segments: readonly Segment[];
  readonly bytes: number;
  /** Adds the newest segment; returns it as stored, with its ids shared with its neighbour's. */
  add(segment: Segment): Segment;
  /** Puts one segment in the place of adjacent ones. */
  replace(sources: readonly Segment[], merged: Segment): Segment;
  /** Drops the oldest; returns it. */
  dropOldest(): Segment | undefined;
  /** Moves every time; the segments are new objects over the same buffers. */
  shift(deltaMs: number): void;
}

function shareIds(segment: Segment, other: Segment | undefined): Segment {
  if (!other || other.columnIds === segment.columnIds) return segment;
  const shared = equalIds(segment.columnIds, other.columnIds);
  return shared ? { ...segment, columnIds: other.columnIds } : segment;
}

/** Bytes are kept up to date as segments come and go: shared ids are counted once. */
export function createCatalog(): Catalog {
  let segments: Segment[] = [];
  let bytes = 0;
  const usersOfIds = new Map<Uint32Array, number>();

  function count(segment: Segment): void {
    const users = usersOfIds.get(segment.columnIds) ?? 0;
    usersOfIds.set(segment.columnIds, users + 1);
    bytes += segmentBytes(segment) + (users === 0 ? segment.columnIds.byteLength : 0);
  }

  function discount(segment: Segment): void {
    const users = (usersOfIds.get(segment.columnIds) ?? 1) - 1;
    if (users === 0) usersOfIds.delete(segment.columnIds);
    else usersOfIds.set(segment.columnIds, users);
    bytes -= segmentBytes(segment) + (users === 0 ? segment.columnIds.byteLength : 0);
  }

  return {
    get segments() {
      return segments;
    },
    get bytes() {
      return bytes;
    },
    add(segment) {
      const stored = shareIds(segment, segments.at(-1));
      segments.push(stored);
      count(stored);
      return stored;
    },
    replace(sources, merged) {
      const at = segments.findIndex(({ id }) => id === sources[0]?.id);
      const stored = shareIds(shareIds(merged, sources.at(-1)), segments[at - 1]);
      segments.splice(at, sources.length, stored);
      count(stored);
      for (const source of sources) discount(source);
      return stored;
    },
    dropOldest() {
      const oldest = segments.shift();
      if (oldest) discount(oldest);
      return oldest;
    },
    shift(deltaMs) {
      segments = segments.map((segment) => ({
        ...segment,
        firstMs: segment.firstMs + deltaMs,
        lastMs: segment.lastMs + deltaMs,
      }));
    },
  };
}
