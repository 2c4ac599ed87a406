import type Sqlite from 'libsql';

/**
 * Runs `work` in one write transaction and undoes all of it when it throws.
 *
 * Not libsql's own `transaction()`: on a full disk SQLite has rolled back by itself, and its
 * ROLLBACK then fails and hides the reason.
 *
 * @throws what `work` threw, or libsql's SqliteError (`code` is SQLITE_FULL, SQLITE_BUSY, …)
 */
export function inTransaction<T>(connection: Sqlite.Database, work: () => T): T {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}
