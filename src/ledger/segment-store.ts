/**
 * History segments in the `series`, `segments` and `segment_parts` tables.
 *
 * A body is kept in parts, since the driver copies a value through malloc, and freeing one block of
 * some MB makes glibc keep as much from then on: it cost 14 MB with a thousand targets.
 */
import type { Database } from './database.ts';
import { textOf } from './sqlite-file.ts';

/** Under the 128 KiB from which on glibc maps a block of its own. */
const PART_BYTES = 64 * 1024;

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
  /**
   * Every segment by id, read as it is asked for, its body into what `allocate` gives. One that has
   * lost a part is that much shorter. Cost: about 1.5 ms per MB.
   */
  segments(allocate?: (bytes: number) => Uint8Array): Iterable<StoredSegment>;
  /** One transaction; the same change may be applied again. Cost: 0.05 ms for a flush, 0.1 ms for 25 KB. */
  apply(change: SegmentChange): void;
  /** Forgets a segment whose body would not decode. */
  discard(id: number): void;
  /** Moves every segment in time, after the wall clock was stepped. Cost: 2 ms for 24 h. */
  shift(deltaMs: number): void;
}

export function createSegmentStore(database: Database): SegmentStore {
  return {
    keys() {
      const rows = database
        .prepare('SELECT id, CAST(key AS BLOB) AS key FROM series ORDER BY id')
        .all() as { id: number; key: ArrayBuffer }[];
      return rows.map(({ id, key }) => ({ id, key: textOf(key) }));
    },

    *segments(allocate = (bytes) => new Uint8Array(bytes)) {
      const rows = database
        .prepare(
          `SELECT id, level, step_ms AS stepMs, first_ms AS firstMs, last_ms AS lastMs, rows
           FROM segments ORDER BY id`,
        )
        .all() as Omit<StoredSegment, 'body'>[];
      for (const row of rows) yield { ...row, body: readBody(database, row.id, allocate) };
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

/** Part by part: together they would be garbage of some MB at once. */
function readBody(
  database: Database,
  segment: number,
  allocate: (bytes: number) => Uint8Array,
): Uint8Array {
  const parts = database
    .prepare(
      'SELECT part, LENGTH(bytes) AS bytes FROM segment_parts WHERE segment = ? ORDER BY part',
    )
    .all(segment) as { part: number; bytes: number }[];
  const read = database.prepare('SELECT bytes FROM segment_parts WHERE segment = ? AND part = ?');
  const body = allocate(parts.reduce((sum, { bytes }) => sum + bytes, 0));
  let at = 0;
  for (const { part, bytes } of parts) {
    const [row] = read.all(segment, part) as { bytes: ArrayBuffer }[];
    if (row) body.set(new Uint8Array(row.bytes), at);
    at += bytes;
  }
  return body;
}

function writeChange(database: Database, { keys, insert, remove }: SegmentChange): void {
  const putKey = database.prepare('INSERT OR REPLACE INTO series (id, key) VALUES (?, ?)');
  for (const { id, key } of keys) putKey.run(id, key);
  const removeSegment = database.prepare('DELETE FROM segments WHERE id = ?');
  for (const id of remove) removeSegment.run(id);
  const putSegment = database.prepare(
    `INSERT INTO segments (id, level, step_ms, first_ms, last_ms, rows)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const putPart = database.prepare(
    'INSERT INTO segment_parts (segment, part, bytes) VALUES (?, ?, ?)',
  );
  for (const { id, level, stepMs, firstMs, lastMs, rows, body } of insert) {
    removeSegment.run(id);
    putSegment.run(id, level, stepMs, firstMs, lastMs, rows);
    for (let at = 0, part = 0; at < body.length; at += PART_BYTES, part++) {
      putPart.run(id, part, body.subarray(at, at + PART_BYTES));
    }
  }
}
