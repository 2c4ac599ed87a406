import type { Frame } from './frame.ts';

/** The rows since the last flush, uncompressed. */
export interface PendingRows {
  readonly rows: number;
  /** NaN when there are none */
  readonly firstMs: number;
  readonly lastMs: number;
  /** of each row; a view, good until the next append */
  readonly times: Float64Array;
  readonly bytes: number;
  append(timeMs: number, row: Float64Array, width: number): void;
  /** Copies one column into `frame` from `at` on. */
  readColumn(id: number, frame: Frame, at: number): void;
  value(row: number, id: number): number;
  /** Sets `varies[id]` to 1 for each of the first `width` columns that is not the same bits in every row. */
  markVarying(varies: Uint8Array, width: number): void;
  clear(): void;
  shift(deltaMs: number): void;
}

const FIRST_ROWS = 16;
const FIRST_STRIDE = 32;

/** One buffer, row by row, that doubles when it is too narrow or full. Append is one copy. */
export function createPendingRows(): PendingRows {
  let times = new Float64Array(FIRST_ROWS);
  let stride = FIRST_STRIDE;
  let cells = new Float64Array(FIRST_ROWS * stride).fill(Number.NaN);
  let rows = 0;

  function widen(width: number): void {
    const wider = Math.max(width, stride * 2);
    const next = new Float64Array(times.length * wider).fill(Number.NaN);
    for (let row = 0; row < rows; row++) {
      next.set(cells.subarray(row * stride, (row + 1) * stride), row * wider);
    }
    cells = next;
    stride = wider;
  }

  function lengthen(): void {
    const nextTimes = new Float64Array(times.length * 2);
    nextTimes.set(times);
    const next = new Float64Array(cells.length * 2).fill(Number.NaN, cells.length);
    next.set(cells);
    times = nextTimes;
    cells = next;
  }

  function value(row: number, id: number): number {
    return id < stride ? cells[row * stride + id]! : Number.NaN;
  }

  return {
    get rows() {
      return rows;
    },
    get firstMs() {
      return rows === 0 ? Number.NaN : times[0]!;
    },
    get lastMs() {
      return rows === 0 ? Number.NaN : times[rows - 1]!;
    },
    get times() {
      return times.subarray(0, rows);
    },
    get bytes() {
      return times.byteLength + cells.byteLength;
    },
    append(timeMs, row, width) {
      if (width > stride) widen(width);
      if (rows === times.length) lengthen();
      times[rows] = timeMs;
      cells.set(row.subarray(0, width), rows * stride);
      rows += 1;
    },
    readColumn(id, frame, at) {
      for (let row = 0; row < rows; row++) frame.values[at + row] = value(row, id);
    },
    value,
    markVarying(varies, width) {
      const words = new Uint32Array(cells.buffer);
      const end = Math.min(width, stride);
      for (let row = 1; row < rows; row++) {
        let at = row * stride * 2;
        let before = at - stride * 2;
        for (let id = 0; id < end; id++, at += 2, before += 2) {
          if (words[at] !== words[before] || words[at + 1] !== words[before + 1]) varies[id] = 1;
        }
      }
    },
    clear() {
      rows = 0; // the next rows are at least as wide: nothing of these shows through
    },
    shift(deltaMs) {
      for (let row = 0; row < rows; row++) times[row] = times[row]! + deltaMs;
    },
  };
}
