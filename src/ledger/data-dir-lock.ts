import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { codes } from '../errors.ts';
import { createPrivateFile, sqliteCode } from './sqlite-file.ts';

/** Of several that start together one must win, which takes SQLite a retry. */
const WAIT_MS = 300;

/** One memwarden per data directory. */
export interface DataDirLock {
  /** Lets the next one in. May be called twice. */
  release(): void;
}

/**
 * Takes the directory for this process until `release()` or death.
 *
 * Method: Node has no flock, but SQLite takes fcntl locks, which the kernel drops with the process,
 * kill -9 included. So an exclusive transaction is held open on an empty `memwarden.lock` of its own;
 * `memwarden.pid` beside it only says who. No statement is ever prepared on that connection, since a
 * statement would keep it, and the lock, alive past close().
 *
 * @throws MEM_CONFLICT when another process has it; SQLite's or the file system's error otherwise
 */
export function lockDataDir(dataDir: string): DataDirLock {
  const lockPath = join(dataDir, 'memwarden.lock');
  const pidPath = join(dataDir, 'memwarden.pid');
  createPrivateFile(lockPath);
  const connection = new Sqlite(lockPath, { timeout: WAIT_MS });
  try {
    connection.exec('BEGIN EXCLUSIVE');
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    connection.close();
    if (sqliteCode(error) !== 'SQLITE_BUSY') throw error;
    throw new codes.MEM_CONFLICT(
      `${dataDir} is in use by ${holder(pidPath)}: stop it, or give this one another data_dir`,
    );
  }
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      rmSync(pidPath, { force: true });
      connection.close();
    },
  };
}

function holder(pidPath: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pidPath, 'utf8'), 10);
    return Number.isNaN(pid) ? 'another memwarden' : `another memwarden (pid ${pid})`;
  } catch {
    // The holder has not written it yet, or we may not read it: the refusal stands without a pid.
    return 'another memwarden';
  }
}
