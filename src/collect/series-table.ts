/**
 * All sampled figures side by side, with the column of the row each goes to. A thousand targets are
 * written as one pass over two arrays, instead of a walk through a thousand objects.
 */
import type { Unknown } from './reading.ts';

export interface SeriesTable {
  /** The columns of `<owner>/<name>`. A full history (RangeError) leaves a series out and says so. */
  block(owner: string, names: readonly string[]): SeriesBlock;
  write(row: Float64Array): void;
}

const NO_COLUMN = -1;
const FIRST_PLACES = 64;
const NONE: readonly Unknown[] = [];

/** The figures and where they go, by place. Replaced when they grow. */
interface Places {
  values: Float64Array;
  columns: Int32Array;
  used: number;
  /** offsets of closed blocks, by their length */
  readonly free: Map<number, number[]>;
}

/**
 * A few series that are sampled together, by their place in `names`. A class, because there may be
 * thousands: their functions are shared.
 */
export class SeriesBlock {
  readonly names: readonly string[];
  /** series that history had no room for */
  readonly unknown: readonly Unknown[];
  readonly #places: Places;
  readonly #offset: number;

  constructor(places: Places, offset: number, names: readonly string[], unknown: Unknown[]) {
    this.names = names;
    this.unknown = unknown.length === 0 ? NONE : unknown;
    this.#places = places;
    this.#offset = offset;
  }

  /** NaN is unknown */
  get(place: number): number {
    return this.#places.values[this.#offset + place]!;
  }

  set(place: number, value: number): void {
    this.#places.values[this.#offset + place] = value;
  }

  clear(): void {
    this.#places.values.fill(Number.NaN, this.#offset, this.#offset + this.names.length);
  }

  /** Series name and column of those that have one. */
  columns(): (readonly [name: string, column: number])[] {
    return this.names
      .map((name, place) => [name, this.#places.columns[this.#offset + place]!] as const)
      .filter(([, id]) => id !== NO_COLUMN);
  }

  /** Gives its places back. */
  close(): void {
    const { columns, free } = this.#places;
    const { length } = this.names;
    columns.fill(NO_COLUMN, this.#offset, this.#offset + length);
    free.set(length, [...(free.get(length) ?? []), this.#offset]);
  }
}

export function createSeriesTable(column: (key: string) => number): SeriesTable {
  const places: Places = {
    values: new Float64Array(FIRST_PLACES),
    columns: new Int32Array(FIRST_PLACES),
    used: 0,
    free: new Map(),
  };

  const reserve = (length: number): number => {
    const reused = places.free.get(length)?.pop();
    if (reused !== undefined) return reused;
    const offset = places.used;
    places.used += length;
    if (places.used > places.values.length) grow();
    return offset;
  };

  const grow = (): void => {
    const { values, columns, used } = places;
    places.values = new Float64Array(used * 2);
    places.values.set(values);
    places.columns = new Int32Array(used * 2);
    places.columns.set(columns);
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
      const unknown: Unknown[] = [];
      for (const [place, name] of names.entries()) {
        const found = columnOf(`${owner}/${name}`);
        places.columns[offset + place] = typeof found === 'number' ? found : NO_COLUMN;
        if (typeof found === 'number') continue;
        unknown.push({ metric: `history.${name}`, reason: found.message });
      }
      const block = new SeriesBlock(places, offset, names, unknown);
      block.clear();
      return block;
    },
    write(row) {
      const { values, columns, used } = places;
      for (let place = 0; place < used; place++) {
        const id = columns[place]!;
        if (id >= 0) row[id] = values[place]!;
      }
    },
  };
}
