import type { Database } from './database.ts';
import { textOf } from './sqlite-file.ts';

/** Small texts by key that survive a restart: rule states, counters, registrations. */
export interface StateStore {
  load(): Map<string, string>;
  /**
   * Writes every entry in one transaction; null deletes. May be repeated.
   * @throws libsql's SqliteError, and then nothing was written
   */
  save(entries: ReadonlyMap<string, string | null>): void;
}

/** Keeps the entries in the `state` table of `database`, each with the time it was written. */
export function createStateStore(database: Database): StateStore {
  return {
    load() {
      const rows = database
        .prepare('SELECT CAST(key AS BLOB) AS key, CAST(value AS BLOB) AS value FROM state')
        .all() as { key: ArrayBuffer; value: ArrayBuffer }[];
      return new Map(rows.map(({ key, value }) => [textOf(key), textOf(value)]));
    },

    save(entries) {
      if (entries.size === 0) return;
      database.write(() => {
        const put = database.prepare(
          `INSERT OR REPLACE INTO state (key, value, updated_ms)
           VALUES (?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))`,
        );
        const remove = database.prepare('DELETE FROM state WHERE key = ?');
        for (const [key, value] of entries) {
          if (value === null) remove.run(key);
          else put.run(key, value);
        }
      });
    },
  };
}
