import { createHash } from 'node:crypto';
import type Sqlite from 'libsql';
import { codes } from '../errors.ts';
import type { Migration } from './migrations.ts';
import { textOf } from './sqlite-file.ts';
import { inTransaction } from './transaction.ts';

interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

const checksumOf = (migration: Migration): string =>
  createHash('sha256').update(migration.sql).digest('hex');

/**
 * Brings a file to the newest schema, one transaction a step; a file that is there already is only
 * read, so that it opens on a full disk.
 *
 * @throws MEM_DATABASE_NEWER when a newer memwarden wrote the file
 * @throws MEM_DATABASE_UNUSABLE when a step was edited after the file had run it
 */
export function migrate(
  connection: Sqlite.Database,
  options: { migrations: readonly Migration[]; path: string; nowMs: number },
): void {
  const { migrations, path, nowMs } = options;
  const applied = readApplied(connection);
  refuseNewer(applied, migrations, path);
  for (const migration of migrations) {
    const before = applied.find((step) => step.number === migration.number);
    if (before) refuseEdited(before, migration, path);
    else inTransaction(connection, () => runStep(connection, migration, nowMs));
  }
}

function readApplied(connection: Sqlite.Database): AppliedMigration[] {
  const table = connection
    .prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'`)
    .all();
  if (table.length === 0) return [];
  const rows = connection
    .prepare(
      `SELECT number, CAST(name AS BLOB) AS name, CAST(checksum AS BLOB) AS checksum
       FROM migrations ORDER BY number`,
    )
    .all() as { number: number; name: ArrayBuffer; checksum: ArrayBuffer }[];
  return rows.map(({ number, name, checksum }) => ({
    number,
    name: textOf(name),
    checksum: textOf(checksum),
  }));
}

function refuseNewer(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
  path: string,
): void {
  const fileVersion = applied.at(-1)?.number ?? 0;
  const ownVersion = migrations.at(-1)?.number ?? 0;
  if (fileVersion <= ownVersion) return;
  throw new codes.MEM_DATABASE_NEWER(
    `${path} has schema version ${fileVersion} and this memwarden knows up to ${ownVersion}: start the newer memwarden that wrote it, or move the file away to begin anew`,
  );
}

function refuseEdited(before: AppliedMigration, migration: Migration, path: string): void {
  if (before.checksum === checksumOf(migration)) return;
  throw new codes.MEM_DATABASE_UNUSABLE(
    `${path} ran migration ${before.number} ("${before.name}") in another version than this memwarden has: install the memwarden that wrote it, or move the file away to begin anew`,
  );
}

function runStep(connection: Sqlite.Database, migration: Migration, nowMs: number): void {
  connection.exec(`CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms INTEGER NOT NULL
  ) STRICT`);
  connection.exec(migration.sql);
  connection
    .prepare('INSERT INTO migrations (number, name, checksum, applied_ms) VALUES (?, ?, ?, ?)')
    .run(migration.number, migration.name, checksumOf(migration), nowMs);
}
