import { describe, expect, it } from 'vitest';
import { createHistory } from '../../../src/history/history.ts';
import { DAY_MS, historyOf, wander } from './fixture.ts';

const values = wander(20_000);
const least = values.reduce((a, b) => Math.min(a, b));
const greatest = values.reduce((a, b) => Math.max(a, b));
const mean = values.reduce((sum, value) => sum + value, 0) / values.length;

describe('history in little memory', () => {
  it('thins the oldest to 10 s and to 60 s, with the summary of all still exact', () => {
    const history = historyOf([values], { maxBytes: 64_000 });
    expect(history.bytes).toBeLessThanOrEqual(64_000);
    expect(history.droppedForMemory).toBe(0);
    expect(history.resolution().map(({ stepMs }) => stepMs)).toEqual([0, 10_000, 60_000]);
    const stats = history.stats(0, -Infinity, Infinity);
    expect(stats).toMatchObject({ min: least, max: greatest, count: values.length });
    expect(stats.mean).toBeCloseTo(mean, 0);
  });

  it('says without gap or overlap which resolution reaches how far', () => {
    const spans = historyOf([values], { maxBytes: 64_000 }).resolution();
    expect(spans[0]?.toMs).toBe(19_999_000);
    expect(spans.at(-1)?.fromMs).toBe(0);
    const ends = spans.slice(1).map(({ toMs }) => toMs + 1000);
    expect(ends).toEqual(spans.slice(0, -1).map(({ fromMs }) => fromMs));
  });

  it('keeps the spikes of thinned rows in min and max, and gaps as gaps', () => {
    const spiky = Float64Array.from(values, (value, n) => {
      if (n === 777) return 1e12;
      if (n === 778) return -1;
      return n >= 2000 && n < 2200 ? Number.NaN : value;
    });
    const history = historyOf([spiky], { maxBytes: 64_000 });
    const window = { fromMs: 0, toMs: 20_000_000, points: 1000 };
    const { min, max, mean: means } = history.buckets([0], window);
    expect([
      Math.min(...min[0]!.filter((v) => !Number.isNaN(v))),
      Math.max(...max[0]!.filter((v) => !Number.isNaN(v))),
    ]).toEqual([-1, 1e12]);
    expect(Array.from(means[0]!.slice(104, 106))).toEqual([NaN, NaN]);
    expect(history.stats(0, 2_000_000, 2_100_000).count).toBe(0);
  });

  it('answers a window that cuts a thinned segment close to the truth', () => {
    const history = historyOf([values], { maxBytes: 64_000 });
    const part = values.slice(1000, 2000);
    const stats = history.stats(0, 1_000_000, 1_999_000);
    expect(stats.count).toBeGreaterThan(900);
    expect(stats.count).toBeLessThan(1100);
    expect(stats.mean / (part.reduce((a, b) => a + b, 0) / 1000)).toBeCloseTo(1, 1);
  });

  it('makes the past coarser, and drops none of it, when its limit is halved', () => {
    const history = historyOf([values], { maxBytes: 128_000 });
    const firstMs = history.firstMs;
    history.setLimits({ retentionMs: DAY_MS, maxBytes: 64_000 });
    for (let slice = 0; slice < 100; slice++) {
      history.flush();
      history.compact(1);
    }
    expect(history.bytes).toBeLessThanOrEqual(64_000);
    expect([history.droppedForMemory, history.firstMs]).toEqual([0, firstMs]);
    expect(history.stats(0, -Infinity, Infinity)).toMatchObject({ min: least, max: greatest });
  });

  it('has room for every merge on the way down, so that none costs the oldest hours', () => {
    const columns = Array.from({ length: 60 }, (_, n) => wander(9_000, n + 1));
    const full = historyOf(columns, { maxBytes: 2 ** 22 }).bytes;
    // a merge brings it just below the limit, and the next one needs room again
    for (const share of [0.9, 0.8, 0.7, 0.6]) {
      const history = historyOf(columns, { maxBytes: 2 ** 22 });
      const { firstMs } = history;
      history.setLimits({ retentionMs: DAY_MS, maxBytes: full * share });
      while (!history.settled) history.compact(4);
      expect([share, history.droppedForMemory, history.firstMs]).toEqual([share, 0, firstMs]);
      expect(history.bytes).toBeLessThanOrEqual(full * share);
      expect(history.shrinking).toBe(false);
    }
  });

  it('drops the oldest at once when halved and nothing can be made coarser', () => {
    const history = historyOf([values], { maxBytes: 64_000 });
    history.setLimits({ retentionMs: DAY_MS, maxBytes: 10_000 });
    for (let slice = 0; slice < 100; slice++) {
      history.flush();
      history.compact(1);
    }
    expect(history.bytes).toBeLessThanOrEqual(10_000);
    expect(history.droppedForMemory).toBeGreaterThan(0);
  });

  it('drops the oldest, counted, when even coarse rows do not fit, and never exceeds its limit', () => {
    const history = createHistory({ retentionMs: DAY_MS, maxBytes: 40_000 });
    history.column('a/0');
    for (let row = 0; row < values.length; row++) {
      history.append(row * 1000, values.subarray(row, row + 1));
      if (row % 10 === 9) history.flush();
      history.compact(1);
      if (row % 10 === 9) expect(history.bytes).toBeLessThanOrEqual(40_000);
    }
    expect(history.firstMs).toBeGreaterThanOrEqual(0);
    expect(history.lastMs).toBe(19_999_000);
    history.setLimits({ retentionMs: DAY_MS, maxBytes: 20_000 });
    history.compact(1);
    expect(history.bytes).toBeLessThanOrEqual(20_000);
    expect(history.droppedForMemory).toBeGreaterThan(0);
  });

  it('survives a limit too small for anything', () => {
    const history = historyOf([values.subarray(0, 500)], { maxBytes: 1 });
    expect(history.points(0, -Infinity, Infinity).t.length).toBe(0);
    expect(history.droppedForMemory).toBe(50);
    expect(history.latest(0)).toBe(values[499]);
  });

  it('tells every segment it removes, and none it never told of', () => {
    const history = createHistory({ retentionMs: 5_000_000, maxBytes: 40_000 });
    history.column('a/0');
    const stored = new Map<number, number>();
    const apply = (change: ReturnType<typeof history.flush>) => {
      for (const id of change?.remove ?? []) expect(stored.delete(id)).toBe(true);
      for (const { id, rows } of change?.insert ?? []) stored.set(id, rows);
    };
    for (let row = 0; row < values.length; row++) {
      history.append(row * 1000, values.subarray(row, row + 1));
      if (row % 10 === 9) apply(history.flush());
      apply(history.compact(1));
    }
    const rows = [...stored.values()].reduce((sum, n) => sum + n, 0);
    expect(history.points(0, -Infinity, Infinity).t.length).toBe(rows);
  });

  it('keeps 6,000 busy columns within 64 MiB', () => {
    const maxBytes = 64 * 2 ** 20;
    const history = createHistory({ retentionMs: DAY_MS, maxBytes });
    for (let id = 0; id < 6000; id++) history.column(`t${id >> 4}/s${id & 15}`);
    const row = new Float64Array(6000);
    let highest = 0;
    for (let n = 0; n < 1500; n++) {
      // Half the columns move, as for real services; every tenth is unknown.
      for (let id = 0; id < 6000; id += 2) row[id] = values[(n + id * 31) % 20_000]!;
      for (let id = 1; id < 6000; id += 10) row[id] = Number.NaN;
      history.append(n * 1000, row);
      if (n % 10 === 9) history.flush();
      history.compact(64);
      highest = Math.max(highest, history.bytes);
    }
    expect(highest).toBeLessThanOrEqual(maxBytes);
    expect(history.droppedForMemory).toBe(0);
    expect(Array.from(history.points(2, 0, 5000).v)).toEqual(Array.from(values.subarray(62, 68)));
  });
});
