import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyOf, wander } from './fixture.ts';

const ROWS = 5000;
const window = { fromMs: 0, toMs: ROWS * 1000, points: 200 };
const flat = new Float64Array(ROWS).fill(5);

function withSpike(at: number, height: number): Float64Array {
  const values = flat.slice();
  values[at] = height;
  return values;
}

describe('select', () => {
  it('gives every row when they fit', () => {
    const values = wander(100);
    const { t, series } = historyOf([values, flat]).select([1, 0], { ...window, toMs: 99_000 });
    expect(t.length).toBe(100);
    expect(series[1]).toEqual(values);
  });

  it('never gives more than was asked, in rising order, each a row that was', () => {
    const source = [wander(800, 3), wander(800, 4), wander(800, 5)];
    const history = historyOf(source);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), (points) => {
        const { t, series } = history.select([0, 1, 2], { ...window, points });
        expect(t.length).toBeLessThanOrEqual(points);
        expect(t.length).toBeGreaterThan(0);
        expect(t.every((time, n) => n === 0 || time > t[n - 1]!)).toBe(true);
        const expected = source.map((values) => t.map((timeMs) => values[timeMs / 1000]!));
        expect(series).toEqual(expected);
      }),
    );
  });

  it('keeps a one-second spike of any of twenty series', () => {
    const spikes = Array.from({ length: 20 }, (_, n) => withSpike(100 + n * 240, n % 2 ? 90 : 1));
    const { series } = historyOf(spikes).select(
      spikes.map((_, id) => id),
      window,
    );
    for (const [n, values] of series.entries()) expect(values).toContain(n % 2 ? 90 : 1);
  });

  it('begins and ends where the data do', () => {
    const { t } = historyOf([wander(ROWS)]).select([0], window);
    expect([t[0], t.at(-1)]).toEqual([0, (ROWS - 1) * 1000]);
  });

  it('keeps a gap wider than a stretch, wherever it lies, and the series beside it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1900 }), (start) => {
        const gapped = wander(2000).fill(Number.NaN, start, start + 30);
        const history = historyOf([gapped, wander(2000, 9)], { flushEvery: 100 });
        const { t, series } = history.select([0, 1], { ...window, points: 150 });
        const inGap = t.findIndex((ms) => ms >= start * 1000 && ms < (start + 30) * 1000);
        expect(inGap).toBeGreaterThanOrEqual(0);
        expect(series[0]![inGap]).toBeNaN();
        expect(series[1]!.some(Number.isNaN)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('does not know a series that was never known', () => {
    const { series } = historyOf([wander(ROWS), []]).select([0, 1], window);
    expect(series[1]?.every(Number.isNaN)).toBe(true);
    expect(series[0]?.some(Number.isNaN)).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %d points', (points) => {
    const history = historyOf([flat]);
    expect(() => history.select([0], { ...window, points })).toThrow(RangeError);
    expect(() => history.buckets([0], { ...window, points })).toThrow(RangeError);
  });
});

describe('buckets', () => {
  it('are equal stretches with the least, mean and greatest of each', () => {
    const counting = Float64Array.from({ length: 1000 }, (_, n) => n);
    const grid = { fromMs: 0, toMs: 1_000_000, points: 10 };
    const { t, min, mean, max } = historyOf([counting]).buckets([0], grid);
    expect(Array.from(t.slice(0, 2))).toEqual([0, 100_000]);
    expect([min[0]![3], mean[0]![3], max[0]![3]]).toEqual([300, 349.5, 399]);
  });

  it('are NaN where nothing is known, and count the last instant in', () => {
    const grid = { fromMs: -4000, toMs: 4000, points: 4 };
    const { mean } = historyOf([[1, 2, NaN, 4, 9]]).buckets([0], grid);
    expect(Array.from(mean[0]!)).toEqual([NaN, NaN, 1.5, 6.5]);
  });

  it('hold a window of a single instant', () => {
    const { mean } = historyOf([[1, 2]]).buckets([0], { fromMs: 1000, toMs: 1000, points: 2 });
    expect(Array.from(mean[0]!)).toEqual([2, NaN]);
  });
});
