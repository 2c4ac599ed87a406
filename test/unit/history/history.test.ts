import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistory, type History } from '../../../src/history/history.ts';
import { DAY_MS, historyOf, wander } from './fixture.ts';

const ALL = [-Infinity, Infinity] as const;

interface Row {
  readonly timeMs: number;
  readonly values: readonly number[];
}

type Step =
  | { readonly kind: 'append'; readonly afterMs: number; readonly values: readonly number[] }
  | { readonly kind: 'flush' | 'column' }
  | { readonly kind: 'compact'; readonly columns: number }
  | { readonly kind: 'rebase'; readonly deltaMs: number };

const value = fc.oneof(
  fc.constant(Number.NaN),
  fc.integer({ min: 0, max: 1000 }).map((pages) => pages * 4096),
  fc.constantFrom(0, -0, Infinity, -Infinity, 1 / 3, Number.MIN_VALUE),
);
const append = fc.record({
  kind: fc.constant('append' as const),
  afterMs: fc.integer({ min: 1, max: 3000 }),
  values: fc.array(value, { minLength: 12, maxLength: 12 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: append },
  {
    weight: 2,
    arbitrary: fc.constantFrom({ kind: 'flush' as const }, { kind: 'column' as const }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('compact' as const), columns: fc.nat(3) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('rebase' as const), deltaMs: fc.integer() }),
  },
);

/** Runs the steps on a history and on a plain list of rows. */
function run(steps: readonly Step[]): { history: History; rows: Row[] } {
  const history = createHistory({ retentionMs: 1e15, maxBytes: 1e9, rowsPerSegment: 15 });
  let rows: Row[] = [];
  let lastMs = 0;
  for (const next of steps) {
    if (next.kind === 'append') {
      lastMs += next.afterMs;
      history.append(lastMs, Float64Array.from(next.values));
      rows.push({ timeMs: lastMs, values: next.values.slice(0, history.width) });
    } else if (next.kind === 'flush') history.flush();
    else if (next.kind === 'compact') history.compact(next.columns);
    else if (next.kind === 'column' && history.width < 12) history.column(`a/${history.width}`);
    else if (next.kind === 'rebase') {
      history.rebase(next.deltaMs);
      lastMs += next.deltaMs;
      rows = rows.map((row) => ({ ...row, timeMs: row.timeMs + next.deltaMs }));
    }
  }
  return { history, rows };
}

function within(rows: readonly Row[], fromMs: number, toMs: number, id: number): number[] {
  return rows
    .filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs)
    .map(({ values }) => values[id] ?? Number.NaN);
}

describe('history', () => {
  it('answers like a plain list of rows, whatever is flushed, merged or moved between', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150, size: 'max' }),
        fc.nat(),
        fc.nat(),
        (steps, a, b) => {
          const { history, rows } = run(steps);
          const fromMs = rows[a % Math.max(1, rows.length)]?.timeMs ?? 0;
          const toMs = rows[b % Math.max(1, rows.length)]?.timeMs ?? 0;
          for (let id = 0; id < history.width; id++) {
            const expected = within(rows, fromMs, toMs, id);
            expect(Array.from(history.points(id, fromMs, toMs).v)).toEqual(expected);
            const known = expected.filter((v) => !Number.isNaN(v));
            const stats = history.stats(id, fromMs, toMs);
            expect(stats.count).toBe(known.length);
            expect(stats.min + 0).toBe((known.length ? Math.min(...known) : Number.NaN) + 0);
            expect(stats.max + 0).toBe((known.length ? Math.max(...known) : Number.NaN) + 0);
            const before = within(rows, -Infinity, toMs, id).findLast((v) => !Number.isNaN(v));
            expect(history.at(id, toMs, Infinity)).toBe(before ?? Number.NaN);
            expect(history.latest(id)).toBe(rows.at(-1)?.values[id] ?? Number.NaN);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has names that never change their column', () => {
    const history = createHistory({ retentionMs: DAY_MS, maxBytes: 1e6, maxColumns: 2 });
    expect([history.column('api/rss'), history.column('api/swap')]).toEqual([0, 1]);
    expect(history.column('api/rss')).toBe(0);
    expect(history.find('api/swap')).toBe(1);
    expect(history.find('api/none')).toBeUndefined();
    expect(history.keys()).toEqual(['api/rss', 'api/swap']);
    expect(() => history.column('api/third')).toThrow(RangeError);
    expect(history.width).toBe(2);
  });

  it('is NaN where it is empty, never 0', () => {
    const history = createHistory({ retentionMs: DAY_MS, maxBytes: 1e6 });
    const id = history.column('a/0');
    expect([history.firstMs, history.lastMs, history.latest(id)]).toEqual([NaN, NaN, NaN]);
    expect(history.stats(id, ...ALL)).toEqual({ min: NaN, max: NaN, mean: NaN, count: 0 });
    expect(history.quantile(id, ...ALL, 0.5)).toBeNaN();
    expect(history.medianAround(id, 0, 1000)).toBeNaN();
    expect(history.at(id, 0, 1e9)).toBeNaN();
    expect(history.points(id, ...ALL).t.length).toBe(0);
    expect(history.select([id], { fromMs: 0, toMs: 9, points: 5 }).t.length).toBe(0);
    expect(Array.from(history.buckets([id], { fromMs: 0, toMs: 9, points: 2 }).mean[0]!)).toEqual([
      NaN,
      NaN,
    ]);
    expect(history.resolution()).toEqual([]);
    expect(history.flush()).toBeNull();
    expect(history.compact(10)).toBeNull();
  });

  it('does not know a column before it was created, nor make it 0 afterwards', () => {
    const history = historyOf([[1, 2, 3]], { flushEvery: 2 });
    const late = history.column('a/late');
    expect(history.latest(late)).toBeNaN();
    expect(Array.from(history.points(late, ...ALL).v)).toEqual([NaN, NaN, NaN]);
    history.append(3000, Float64Array.of(4, 40));
    expect(Array.from(history.points(late, ...ALL).v)).toEqual([NaN, NaN, NaN, 40]);
  });

  it.each([2000, 1999, Number.NaN, Infinity, 2000.5])('refuses time %d after 2000', (timeMs) => {
    const history = historyOf([[1, 2, 3]]);
    expect(() => history.append(timeMs, Float64Array.of(1))).toThrow(RangeError);
    history.append(2001, Float64Array.of(4));
    expect(history.lastMs).toBe(2001);
  });

  it('refuses a row that is too short, a step of the clock that is no number, limits of 0', () => {
    const history = historyOf([[1], [2]]);
    expect(() => history.append(5000, Float64Array.of(1))).toThrow(RangeError);
    expect(() => history.rebase(Number.NaN)).toThrow(RangeError);
    expect(() => history.setLimits({ retentionMs: 0, maxBytes: 1 })).toThrow(RangeError);
    expect(() => createHistory({ retentionMs: 1, maxBytes: Number.NaN })).toThrow(RangeError);
  });

  it('copies the row it is given', () => {
    const history = historyOf([[]]);
    const row = Float64Array.of(1);
    history.append(0, row);
    row[0] = 2;
    expect([history.latest(0), history.points(0, ...ALL).v[0]]).toEqual([1, 1]);
  });

  it('takes the median of a window in time, and the quantiles between', () => {
    const history = historyOf([Array.from({ length: 1300 }, (_, n) => n)]);
    expect(history.medianAround(0, 700_000, 60_000)).toBe(700);
    expect(history.medianAround(0, 2_000_000, 60_000)).toBeNaN();
    expect(history.quantile(0, 0, 100_000, 0.25)).toBe(25);
    expect(history.quantile(0, 0, 1000, 0.5)).toBe(0.5);
    expect([-1, 2].map((q) => history.quantile(0, 0, 100_000, q))).toEqual([0, 100]);
  });

  it('finds the last known value over segments that know nothing, but none too old', () => {
    const values = Array.from({ length: 100 }, (_, n) => (n < 30 ? n : Number.NaN));
    const history = historyOf([values, wander(100)]);
    expect(history.at(0, 99_000, 70_000)).toBe(29);
    expect(history.at(0, 99_000, 69_999)).toBeNaN();
    expect(history.at(0, 12_500, 1000)).toBe(12);
  });

  it('flushes to one segment, tells new names once, and leaves out what is never known', () => {
    const history = historyOf(
      [
        [1, 1],
        [NaN, NaN],
        [5, 6],
      ],
      { flushEvery: 0 },
    );
    const change = history.flush();
    expect(change?.keys.map(({ key }) => key)).toEqual(['a/0', 'a/1', 'a/2']);
    expect(Array.from(change?.insert[0]?.columnIds ?? [])).toEqual([0, 2]);
    history.append(9000, Float64Array.of(1, 2, 3));
    expect(history.flush()?.keys).toEqual([]);
    expect(history.flush()).toBeNull();
  });

  it('merges in slices, and tells what replaced what only when done', () => {
    const history = createHistory({ retentionMs: DAY_MS, maxBytes: 1e8, rowsPerSegment: 20 });
    for (let id = 0; id < 5; id++) history.column(`a/${id}`);
    for (let row = 0; row < 20; row++) {
      history.append(row * 1000, Float64Array.of(row, row, row, row, row));
      if (row % 10 === 9) history.flush();
    }
    expect([history.compact(2), history.compact(2)]).toEqual([null, null]);
    expect(history.stats(4, ...ALL).mean).toBe(9.5);
    const change = history.compact(2);
    expect(change?.remove).toEqual([1, 2]);
    expect(change?.insert.map(({ level, rows }) => ({ level, rows }))).toEqual([
      { level: 1, rows: 20 },
    ]);
    expect(history.compact(2)).toBeNull();
  });

  it('drops whole segments past retention', () => {
    const history = historyOf([wander(4000)], { retentionMs: 1_200_000 });
    expect(history.firstMs).toBeGreaterThan(3_999_000 - 1_200_000 - 600_000);
    expect(history.firstMs).toBeLessThanOrEqual(3_999_000 - 1_200_000);
    expect(history.droppedForMemory).toBe(0);
    history.setLimits({ retentionMs: 10_000, maxBytes: 1e8 });
    expect(history.compact(1)?.remove.length).toBeGreaterThan(0);
  });
});
