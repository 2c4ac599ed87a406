import type { Database } from './database.ts';
import { textOf } from './sqlite-file.ts';

/** One history segment as a row: times and step in ms; `body` is opaque here. */
export interface StoredSegment {
  readonly id: number;
  readonly level: number;
  readonly stepMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly rows: number;
  readonly body: Uint8Array;
}

export interface StoredKey {
  readonly id: number;
  readonly key: string;
}

export interface SegmentChange {
  readonly keys: readonly StoredKey[];
  readonly insert: readonly StoredSegment[];
  /** ids; removed before `insert` is written, so an id in both is kept */
  readonly remove: readonly number[];
}

/** Every write throws the SqliteError that stopped it and is then undone as a whole. */
export interface SegmentStore {
  keys(): StoredKey[];
  /** Every segment by id, read as it is asked for. Cost: about 0.5 ms per MB. */
  segments(): Iterable<StoredSegment>;
  /** One transaction; the same change may be applied again. Cost: 0.05 ms for a flush, 0.1 ms for 25 KB. */
  apply(change: SegmentChange): void;
  /** Forgets a segment whose body would not decode. */
  discard(id: number): void;
  /** Moves every segment in time, after the wall clock was stepped. Cost: 2 ms for 24 h. */
  shift(deltaMs: number): void;
}

/** Keeps history/ segments in the `series` and `segments` tables of `database`. */
export function createSegmentStore(database: Database): SegmentStore {
  return {
    keys() {
      const rows = database
        .prepare('SELECT id, CAST(key AS BLOB) AS key FROM series ORDER BY id')
        .all() as { id: number; key: ArrayBuffer }[];
      return rows.map(({ id, key }) => ({ id, key: textOf(key) }));
    },

    *segments() {
      const ids = database.prepare('SELECT id FROM segments ORDER BY id').all() as { id: number }[];
      // One by one: the driver's own iterator holds a hundred rows, which may be all there are.
      const select = database.prepare(
        `SELECT id, level, step_ms AS stepMs, first_ms AS firstMs, last_ms AS lastMs, rows, body
         FROM segments WHERE id = ?`,
      );
      type Row = Omit<StoredSegment, 'body'> & { body: ArrayBuffer };
      for (const { id } of ids) {
        for (const row of select.all(id) as Row[]) yield { ...row, body: new Uint8Array(row.body) };
      }
    },

    apply(change) {
      database.write(() => writeChange(database, change));
    },

    discard(id) {
      database.write(() => database.prepare('DELETE FROM segments WHERE id = ?').run(id));
    },

    shift(deltaMs) {
      database.write(() =>
        database
          .prepare('UPDATE segments SET first_ms = first_ms + ?, last_ms = last_ms + ?')
          .run(deltaMs, deltaMs),
      );
    },
  };
}

function writeChange(database: Database, { keys, insert, remove }: SegmentChange): void {
  const putKey = database.prepare('INSERT OR REPLACE INTO series (id, key) VALUES (?, ?)');
  for (const { id, key } of keys) putKey.run(id, key);
  const removeSegment = database.prepare('DELETE FROM segments WHERE id = ?');
  for (const id of remove) removeSegment.run(id);
  const putSegment = database.prepare(
    `INSERT OR REPLACE INTO segments (id, level, step_ms, first_ms, last_ms, rows, body)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const row of insert) {
    const { id, level, stepMs, firstMs, lastMs, rows, body } = row;
    putSegment.run(id, level, stepMs, firstMs, lastMs, rows, body);
  }
}
