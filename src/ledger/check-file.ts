import Sqlite from 'libsql';
import { migrate } from './migrate.ts';
import { migrations } from './migrations.ts';
import { sqliteCode, textOf } from './sqlite-file.ts';

/** The file opens, and yet is not what memwarden wrote. */
class CorruptDatabase extends Error {}

/** @throws when the pages of the file do not fit together. Cost: reads them all, 1 ms per MB. */
export function checkPages(connection: Sqlite.Database): void {
  const [row] = connection
    .prepare('SELECT CAST(quick_check AS BLOB) AS verdict FROM pragma_quick_check(1)')
    .all() as { verdict: ArrayBuffer }[];
  const verdict = row ? textOf(row.verdict) : 'quick_check does not answer';
  if (verdict !== 'ok') throw new CorruptDatabase(verdict);
}

/**
 * quick_check does not know what tables there should be: one flipped byte can rename a column.
 * @throws when a table is not as the migrations make it; further ones may be there
 */
export function checkTables(connection: Sqlite.Database): void {
  const fresh = new Sqlite(':memory:');
  migrate(fresh, { migrations, path: ':memory:', nowMs: 0 });
  const found = new Set(tablesOf(connection));
  const damaged = tablesOf(fresh).some((sql) => !found.has(sql));
  fresh.close();
  if (damaged) throw new CorruptDatabase('its tables are not as memwarden makes them');
}

/**
 * Begins a write that changes nothing. BEGIN IMMEDIATE would not do: on a read-only file it quietly
 * begins to read.
 * @throws SQLITE_READONLY, which otherwise comes at the first write only
 */
export function checkWritable(connection: Sqlite.Database): void {
  connection.exec('DELETE FROM state WHERE FALSE');
}

/**
 * Whether an error while opening is the file's fault. ERROR and TOOBIG among them: the statements
 * are ours and right, so it is the schema in the file that is not.
 */
export const isCorruption = (error: unknown): boolean =>
  error instanceof CorruptDatabase ||
  /^SQLITE_(CORRUPT|NOTADB|ERROR|TOOBIG)/.test(sqliteCode(error) ?? '');

const tablesOf = (connection: Sqlite.Database): string[] => {
  const rows = connection
    .prepare(`SELECT CAST(sql AS BLOB) AS sql FROM sqlite_schema WHERE type = 'table'`)
    .all() as { sql: ArrayBuffer }[];
  return rows.map(({ sql }) => textOf(sql));
};
