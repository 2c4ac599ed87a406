import { closeSync, existsSync, openSync, renameSync } from 'node:fs';

/**
 * Makes an empty file that only its owner may read; SQLite gives its -wal and -shm the same mode.
 * An existing file is left as it is and never opened: closing any descriptor of a file drops every
 * fcntl lock this process has on it.
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** SQLite's code, such as SQLITE_FULL; null for any other error. */
export function sqliteCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : null;
}

/** Renames a database with its -wal and -shm to `<path>.corrupt-<UTC time>`, and returns that name. */
export function moveAside(path: string, nowMs: number): string {
  const aside = `${path}.corrupt-${new Date(nowMs).toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

/**
 * Reads a text column selected as `CAST(column AS BLOB)`. Never select one as text: libsql cuts it at
 * its first NUL, and aborts the whole process when a damaged file has one that is not UTF-8.
 */
export const textOf = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('utf8');
