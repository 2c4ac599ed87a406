/**
 * All sampled figures side by side, with the column of the row each goes to. A thousand targets are
 * written as one pass over two arrays, instead of a walk through a thousand objects.
 */
import type { Unknown } from './reading.ts';

/** A few series that are sampled together, by their place in `names`. */
export interface SeriesBlock {
  readonly names: readonly string[];
  /** series that history had no room for */
  readonly unknown: readonly Unknown[];
  /** NaN is unknown */
  get(place: number): number;
  set(place: number, value: number): void;
  clear(): void;
  /** Series name and column of those that have one. */
  columns(): (readonly [name: string, column: number])[];
  /** Gives its places back. */
  close(): void;
}

export interface SeriesTable {
  /** The columns of `<owner>/<name>`. A full history (RangeError) leaves a series out and says so. */
  block(owner: string, names: readonly string[]): SeriesBlock;
  write(row: Float64Array): void;
}

const NO_COLUMN = -1;
const FIRST_PLACES = 64;

export function createSeriesTable(column: (key: string) => number): SeriesTable {
  let values = new Float64Array(FIRST_PLACES);
  let columnByPlace = new Int32Array(FIRST_PLACES);
  let used = 0;
  /** offsets of closed blocks, by their length */
  const free = new Map<number, number[]>();

  const reserve = (length: number): number => {
    const reused = free.get(length)?.pop();
    if (reused !== undefined) return reused;
    const offset = used;
    used += length;
    if (used > values.length) grow();
    return offset;
  };

  const grow = (): void => {
    const [oldValues, oldColumns] = [values, columnByPlace];
    values = new Float64Array(used * 2);
    values.set(oldValues);
    columnByPlace = new Int32Array(used * 2);
    columnByPlace.set(oldColumns);
  };

  const columnOf = (key: string): number | RangeError => {
    try {
      return column(key);
    } catch (error) {
      if (error instanceof RangeError) return error;
      throw error;
    }
  };

  return {
    block(owner, names) {
      const offset = reserve(names.length);
      const end = offset + names.length;
      const unknown: Unknown[] = [];
      values.fill(Number.NaN, offset, end);
      for (const [place, name] of names.entries()) {
        const found = columnOf(`${owner}/${name}`);
        columnByPlace[offset + place] = typeof found === 'number' ? found : NO_COLUMN;
        if (typeof found === 'number') continue;
        unknown.push({ metric: `history.${name}`, reason: found.message });
      }
      return {
        names,
        unknown,
        get: (place) => values[offset + place]!,
        set(place, value) {
          values[offset + place] = value;
        },
        clear() {
          values.fill(Number.NaN, offset, end);
        },
        columns: () =>
          names
            .map((name, place) => [name, columnByPlace[offset + place]!] as const)
            .filter(([, id]) => id !== NO_COLUMN),
        close() {
          columnByPlace.fill(NO_COLUMN, offset, end);
          free.set(names.length, [...(free.get(names.length) ?? []), offset]);
        },
      };
    },
    write(row) {
      for (let place = 0; place < used; place++) {
        const id = columnByPlace[place]!;
        if (id >= 0) row[id] = values[place]!;
      }
    },
  };
}
