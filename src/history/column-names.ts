/** A column and its name, `<target>/<series>`. */
export interface SeriesKey {
  readonly id: number;
  readonly key: string;
}

/** Names of columns; an id belongs to one name as long as this process lives. */
export interface ColumnNames {
  /** index = id; '' for an id that is free */
  readonly keys: readonly string[];
  find(key: string): number | undefined;
  /** The id of `key`, new when it is. Throws RangeError when there are too many. */
  idOf(key: string): number;
  /**
   * Fills an empty table: index = id. A name of which nothing is remembered is given up, and its id
   * goes to the next new name: otherwise targets that come and go would use up every column.
   * Throws RangeError when there are too many.
   */
  restore(names: readonly string[], remembered: ReadonlySet<number>): void;
  /** The names since this was last asked. */
  takeNew(): SeriesKey[];
}

/** Starts empty. */
export function createColumnNames(maxColumns: number): ColumnNames {
  const keys: string[] = [];
  const ids = new Map<string, number>();
  const free: number[] = [];
  let fresh: SeriesKey[] = [];

  function add(key: string): number {
    const id = free.pop() ?? keys.length;
    if (id >= maxColumns) {
      throw new RangeError(`No column left for "${key}": ${maxColumns} are in use`);
    }
    keys[id] = key;
    ids.set(key, id);
    fresh.push({ id, key });
    return id;
  }

  return {
    keys,
    find: (key) => ids.get(key),
    idOf: (key) => ids.get(key) ?? add(key),
    restore(names, remembered) {
      if (names.length > maxColumns) {
        throw new RangeError(`${names.length} columns to restore, room for ${maxColumns}`);
      }
      for (const [id, key] of names.entries()) {
        const isKept = remembered.has(id);
        keys[id] = isKept ? key : '';
        if (isKept) ids.set(key, id);
        else free.push(id);
      }
    },
    takeNew() {
      const taken = fresh;
      fresh = [];
      return taken;
    },
  };
}
