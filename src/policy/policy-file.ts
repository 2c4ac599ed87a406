/** The two files a policy is read from: the policy itself, and the one that holds the token. */

import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { codes } from '../errors.ts';
import { isToken, TOKEN_EXPECTED } from './overrides.ts';
import { createPolicyInvalidError } from './problem.ts';

/** One byte more than a policy may have, so that a longer one is seen to be. */
const POLICY_READ_BYTES = 2 ** 20 + 1;
const TOKEN_READ_BYTES = 4097;

const FILE_EXPECTED = 'a regular file';
/** Our own descriptors: a pipe there was opened by who started us, so reading it does not wait for a writer. */
const OWN_DESCRIPTOR = /^\/(dev\/(stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** A pipe without a writer would wait forever, and a device has no end. */
class NotAFile extends Error {}

/**
 * The text of the file; of more than 1 MiB only the beginning, which is refused by its length.
 * A pipe is read as /dev/stdin or /dev/fd/N, and not by a name of its own.
 * @throws MEM_POLICY_INVALID when it is a directory, a named pipe, a device or a socket
 * @throws MEM_POLICY_UNREADABLE with the cause
 */
export function readPolicyText(name: string, directory: string): string {
  try {
    const { bytes } = readStart(resolve(directory, name), POLICY_READ_BYTES);
    return new TextDecoder('utf-8', { fatal: bytes.length < POLICY_READ_BYTES }).decode(bytes);
  } catch (cause) {
    if (cause instanceof NotAFile) {
      const place = { file: name, line: null, column: null, key: '' };
      throw createPolicyInvalidError([{ ...place, expected: FILE_EXPECTED, got: cause.message }]);
    }
    throw new codes.MEM_POLICY_UNREADABLE(`${name}: cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

export type TokenFile =
  | { readonly token: string; readonly isReadableByOthers: boolean }
  | { readonly expected: string; readonly got: string };

/** The token, or what is wrong with the file; never the content in words. */
export function readToken(name: string, directory: string): TokenFile {
  try {
    const { bytes, mode } = readStart(resolve(directory, name), TOKEN_READ_BYTES);
    const token = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
    if (token === '') return { expected: TOKEN_EXPECTED, got: 'an empty file' };
    if (bytes.length === TOKEN_READ_BYTES || !isToken(token)) {
      return { expected: TOKEN_EXPECTED, got: 'something else in the file' };
    }
    return { token, isReadableByOthers: (mode & 0o004) !== 0 };
  } catch (error) {
    if (error instanceof NotAFile) return { expected: FILE_EXPECTED, got: error.message };
    return { expected: 'a file that can be read', got: reasonOf(error) };
  }
}

/** Bounded, so that a log file given by mistake is not read to its end. */
function readStart(path: string, limit: number): { bytes: Buffer; mode: number } {
  const stats = statSync(path);
  const isOwnPipe = stats.isFIFO() && OWN_DESCRIPTOR.test(path);
  if (!stats.isFile() && !isOwnPipe) throw new NotAFile(kindOf(stats));
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(limit);
    let length = 0;
    while (length < limit) {
      const read = readSync(descriptor, buffer, length, limit - length, null);
      if (read === 0) break;
      length += read;
    }
    // Read before, as on a reload: an empty policy would undo all that the first one said.
    if (isOwnPipe && length === 0) throw new NotAFile('a pipe with nothing in it');
    return { bytes: buffer.subarray(0, length), mode: fstatSync(descriptor).mode };
  } finally {
    closeSync(descriptor);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  const REASON_BY_CODE: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
  };
  return REASON_BY_CODE[code] ?? code;
}
