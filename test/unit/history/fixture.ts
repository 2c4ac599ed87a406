import { createHistory, type History, type HistoryOptions } from '../../../src/history/history.ts';

export const DAY_MS = 86_400_000;

/** A history of `series.length` columns, `a/0` and on, one row a second from `fromMs`. */
export function historyOf(
  series: readonly ArrayLike<number>[],
  options: Partial<HistoryOptions> & { fromMs?: number; flushEvery?: number } = {},
): History {
  const history = createHistory({ retentionMs: DAY_MS, maxBytes: 64 * 2 ** 20, ...options });
  for (const index of series.keys()) history.column(`a/${index}`);
  const rows = Math.max(0, ...series.map(({ length }) => length));
  const flushEvery = options.flushEvery ?? 10;
  for (let row = 0; row < rows; row++) {
    const values = Float64Array.from(series, (column) => column[row] ?? Number.NaN);
    history.append((options.fromMs ?? 0) + row * 1000, values);
    if (flushEvery > 0 && (row + 1) % flushEvery === 0) {
      history.flush();
      history.compact(Number.MAX_SAFE_INTEGER);
    }
  }
  return history;
}

/** Whole pages that wander, the same each time. */
export function wander(rows: number, seed = 1): Float64Array {
  let state = seed;
  let pages = 20_000;
  return Float64Array.from({ length: rows }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pages += (state >>> 24) - 127;
    return pages * 4096;
  });
}
