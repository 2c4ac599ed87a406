/** The data directory before anything is opened in it: made, and seen to be one that can be used. */

import { accessSync, constants, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { codes } from '../errors.ts';

const OWN_FILES = [
  'memwarden.db',
  'memwarden.db-wal',
  'memwarden.db-shm',
  'memwarden.lock',
  'memwarden.pid',
];

/** A path that was not meant, and how it reads on from it. A disk that is full or read-only is another matter. */
const REASON_BY_CODE: Readonly<Record<string, string>> = {
  EEXIST: 'it is not a directory',
  ENOENT: 'it cannot be made',
  ELOOP: 'its symbolic links go round in circles',
  ENAMETOOLONG: 'the name is too long',
};

/**
 * Makes the directory, for its owner only, and checks that it and what memwarden keeps in it can be
 * read and written.
 * @throws MEM_DATA_DIR_UNUSABLE with the path, the reason and what to do
 * @throws the file system's own error for what may pass: a full or read-only disk, no permission
 */
export function prepareDataDir(dataDir: string): void {
  guarded(dataDir, () => {
    makeDirectory(resolve(dataDir));
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  });
  for (const name of OWN_FILES) {
    const path = join(dataDir, name);
    guarded(path, () => checkOwnFile(path));
  }
}

/** Step by step: Node's own `recursive` never returns below a directory such as /proc. */
function makeDirectory(path: string): void {
  const stats = statOf(path);
  if (stats?.isDirectory()) return;
  if (stats !== undefined) throw unusable(path, 'it is not a directory');
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // another memwarden that starts at the same time was first
    if (!statOf(path)?.isDirectory()) throw error;
  }
}

/** undefined when there is nothing, or a file above it. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function checkOwnFile(path: string): void {
  const stats = statOf(path);
  if (stats === undefined) return;
  if (!stats.isFile()) throw unusable(path, 'it is not a regular file');
  accessSync(path, constants.R_OK | constants.W_OK);
}

function guarded(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reason = REASON_BY_CODE[code];
    if (reason === undefined) throw cause;
    throw unusable(path, reason, cause);
  }
}

function unusable(path: string, reason: string, cause?: unknown): Error {
  return new codes.MEM_DATA_DIR_UNUSABLE(
    `${path} cannot be used for data: ${reason}. Mend that, or choose another directory: data_dir, or --data-dir DIR.`,
    { cause },
  );
}
