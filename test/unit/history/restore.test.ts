import { describe, expect, it } from 'vitest';
import {
  createHistory,
  type HistoryChange,
  type Segment,
  type SeriesKey,
} from '../../../src/history/history.ts';
import { DAY_MS, wander } from './fixture.ts';

const values = wander(95);

/** A store that applies changes, as the ledger does, after 95 rows of two columns. */
function stored(): { keys: SeriesKey[]; segments: Map<number, Segment>; all: Segment[] } {
  const history = createHistory({ retentionMs: DAY_MS, maxBytes: 1e8, rowsPerSegment: 30 });
  history.column('api/rss_bytes');
  history.column('api/threads');
  const keys: SeriesKey[] = [];
  const segments = new Map<number, Segment>();
  const all: Segment[] = [];
  const apply = (change: HistoryChange | null) => {
    keys.push(...(change?.keys ?? []));
    for (const id of change?.remove ?? []) segments.delete(id);
    for (const segment of change?.insert ?? []) segments.set(segment.id, segment);
    all.push(...(change?.insert ?? []));
  };
  for (let row = 0; row < 95; row++) {
    history.append(row * 1000, Float64Array.of(values[row]!, 11));
    if (row % 10 === 9 || row === 94) apply(history.flush());
    apply(history.compact(100));
  }
  return { keys, segments, all };
}

function restored(keys: readonly SeriesKey[], segments: readonly Segment[]) {
  const history = createHistory({ retentionMs: DAY_MS, maxBytes: 1e8, rowsPerSegment: 30 });
  history.restore(keys, segments);
  return history;
}

describe('restoring a history', () => {
  it('takes everything back, in any order, and goes on', () => {
    const { keys, segments } = stored();
    const history = restored(keys.toReversed(), [...segments.values()].toReversed());
    expect(history.keys()).toEqual(['api/rss_bytes', 'api/threads']);
    expect(history.points(0, 0, Infinity).v).toEqual(values);
    expect(history.lastMs).toBe(94_000);
    history.append(95_000, Float64Array.of(1, 2));
    const change = history.flush();
    expect(change?.keys).toEqual([]);
    expect(segments.has(change?.insert[0]?.id ?? 0)).toBe(false);
  });

  it('shows the time between two runs as a gap', () => {
    const { keys, segments } = stored();
    const history = restored(keys, [...segments.values()]);
    history.append(500_000, Float64Array.of(1, 2));
    history.append(501_000, Float64Array.of(1, 2));
    const { t, v } = history.points(1, 94_000, 501_000);
    expect(Array.from(t)).toEqual([94_000, 94_001, 500_000, 501_000]);
    expect(Array.from(v)).toEqual([11, NaN, 2, 2]);
    const drawn = history.select([1], { fromMs: 0, toMs: 501_000, points: 20 });
    expect(drawn.series[0]?.some(Number.isNaN)).toBe(true);
  });

  it('keeps the merged segment where its sources were left over, and has them removed', () => {
    const { keys, all } = stored();
    const history = restored(keys, all);
    expect(history.points(0, 0, Infinity).v).toEqual(values);
    history.append(96_000, Float64Array.of(1, 2));
    const left = all.filter(({ level }) => level === 0).slice(0, 9);
    expect(history.flush()?.remove.toSorted((a, b) => a - b)).toEqual(left.map(({ id }) => id));
    expect(history.compact(0)?.remove ?? []).toEqual([]);
  });

  it('loses no more than the name when a name was lost', () => {
    const { keys, segments } = stored();
    const history = restored(keys.slice(1), [...segments.values()]);
    expect(history.keys()).toEqual(['?/0', 'api/threads']);
    expect(history.stats(1, 0, Infinity)).toMatchObject({ mean: 11, count: 95 });
    expect(history.column('api/new')).toBe(2);
  });

  it('gives the column of a name of which nothing is left to the next new name', () => {
    const { keys, segments } = stored();
    const history = restored([...keys, { id: 2, key: 'gone/rss_bytes' }], [...segments.values()]);
    expect(history.find('gone/rss_bytes')).toBeUndefined();
    expect(history.column('api/new')).toBe(2);
    expect(history.column('api/newer')).toBe(3);
    history.append(95_000, Float64Array.of(1, 2, 3, 4));
    expect(history.flush()?.keys).toEqual([
      { id: 2, key: 'api/new' },
      { id: 3, key: 'api/newer' },
    ]);
  });

  it('refuses names that contradict each other, too many, or a history in use', () => {
    const segments = [...stored().segments.values()];
    const twice = { id: 0, key: 'a/b' };
    const history = createHistory({ retentionMs: 1, maxBytes: 1e6, maxColumns: 1 });
    expect(() => history.restore([twice, twice], [])).toThrow(RangeError);
    expect(() => history.restore([twice, { id: 1, key: 'a/b' }], [])).toThrow(RangeError);
    expect(() => history.restore([], segments)).toThrow(RangeError);
    expect([history.width, history.lastMs]).toEqual([0, NaN]);
    history.restore([twice], []);
    expect(() => history.restore([twice], [])).toThrow(RangeError);
  });
});
