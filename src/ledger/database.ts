import { join } from 'node:path';
import Sqlite from 'libsql';
import { checkPages, checkTables, checkWritable, isCorruption } from './check-file.ts';
import { prepareDataDir } from './data-dir.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations.ts';
import { createPrivateFile, moveAside } from './sqlite-file.ts';
import { inTransaction } from './transaction.ts';

/** At start a short wait for a backup or a shell to let go is better than no history. */
const OPEN_WAIT_MS = 5_000;
/** A write waits on the event loop, so it gives up early; the caller keeps it and tries again. */
const WRITE_WAIT_MS = 200;

/** An open database. Every call is synchronous and throws libsql's SqliteError when it fails. */
export interface Database {
  /** false: kept in memory only, because the disk is full or may not be written */
  readonly persistent: boolean;
  /** the file, or `:memory:` */
  readonly path: string;
  /** what went wrong while opening and what was done about it, for the log */
  readonly warnings: readonly string[];
  /** For one use, not for keeping: a kept statement goes on working after close(). */
  prepare(sql: string): Sqlite.Statement;
  /** Runs `work` in one transaction: all of it is in the file afterwards, or none of it. */
  write<T>(work: () => T): T;
  /** Folds the write-ahead log into the file and gives up the directory. May be called twice. */
  close(): void;
}

/**
 * Opens `<dataDir>/memwarden.db`, creating and migrating it as needed. A corrupt file is moved aside
 * and begun anew, and a disk that is full or may not be written gives an empty database in memory;
 * both are told in `warnings`. A path that can be no data directory is refused.
 * Cost: quick_check reads the whole file, about 1 ms per MB.
 *
 * @throws MEM_CONFLICT when another memwarden uses the directory
 * @throws MEM_DATA_DIR_UNUSABLE see data-dir.ts
 * @throws MEM_DATABASE_NEWER, MEM_DATABASE_UNUSABLE see migrate.ts
 */
export function openDatabase(options: { dataDir: string; nowMs: number }): Database {
  const { dataDir, nowMs } = options;
  const warnings: string[] = [];
  let release = (): void => {};
  try {
    prepareDataDir(dataDir);
    release = lockDataDir(dataDir).release;
    const path = join(dataDir, 'memwarden.db');
    const connection = openOrReplace(path, nowMs, (warning) => warnings.push(warning));
    return wrap(connection, { path, warnings, release });
  } catch (error) {
    release();
    if (isRefusal(error)) throw error;
    warnings.push(
      `${dataDir} cannot be used (${messageOf(error)}): history and alert state are kept in memory only and end with this process`,
    );
    return openMemory(nowMs, warnings);
  }
}

function openOrReplace(
  path: string,
  nowMs: number,
  warn: (warning: string) => void,
): Sqlite.Database {
  try {
    return openFile(path, nowMs);
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const aside = moveAside(path, nowMs);
    warn(`${path} is corrupt (${messageOf(error)}): moved to ${aside}, and a new one is begun`);
    return openFile(path, nowMs);
  }
}

function openFile(path: string, nowMs: number): Sqlite.Database {
  createPrivateFile(path);
  const connection = new Sqlite(path, { timeout: OPEN_WAIT_MS });
  try {
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = NORMAL');
    connection.pragma('foreign_keys = ON');
    checkPages(connection);
    migrate(connection, { migrations, path, nowMs });
    checkTables(connection);
    checkWritable(connection);
    connection.pragma(`busy_timeout = ${WRITE_WAIT_MS}`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function openMemory(nowMs: number, warnings: readonly string[]): Database {
  const path = ':memory:';
  const connection = new Sqlite(path);
  migrate(connection, { migrations, path, nowMs });
  return wrap(connection, { path, warnings, release: () => {} });
}

function wrap(
  connection: Sqlite.Database,
  options: { path: string; warnings: readonly string[]; release(): void },
): Database {
  let open = true;
  return {
    persistent: !connection.memory,
    path: options.path,
    warnings: options.warnings,
    prepare: (sql) => connection.prepare(sql),
    write: (work) => inTransaction(connection, work),
    close() {
      if (!open) return;
      open = false;
      try {
        connection.pragma('wal_checkpoint(TRUNCATE)');
      } catch {
        // A full disk. What is in the log is not lost: the next start reads it from there.
      }
      connection.close();
      options.release();
    },
  };
}

/** Ours, and meant for the operator: starting without persistence would hide it. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('MEM_');

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
