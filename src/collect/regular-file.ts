/**
 * Reads a file whose path someone chose, and which may therefore be anything: a named pipe would
 * hold up the whole process until somebody writes to it, and a device may never end.
 *
 * What was opened is asked what it is, not the path, which may lead elsewhere a moment later.
 */
import fs from 'node:fs';
import { describeProblem, errorCode } from './procfs/files.ts';

/** NOCTTY, so that a terminal does not become ours. */
const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
const PART_BYTES = 4_096;

/** The text of a regular file of at most `mostBytes`, or why there is none, in words. Never waits. */
export function readRegularFile(
  path: string,
  mostBytes: number,
): { text: string; problem: null } | { text: null; problem: string } {
  let fd = -1;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    const stats = fs.fstatSync(fd);
    if (!stats.isFile()) return { text: null, problem: `it is ${kindOf(stats)}, not a file` };
    const bytes = bytesOf(fd, mostBytes);
    if (bytes === null) return { text: null, problem: `it is longer than ${mostBytes} bytes` };
    return { text: bytes.toString('utf8'), problem: null };
  } catch (error) {
    return { text: null, problem: describeFailure(errorCode(error)) };
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
}

/** null when there is more; a kernel file has no size, and comes in parts. */
function bytesOf(fd: number, mostBytes: number): Buffer | null {
  const parts: Buffer[] = [];
  for (let left = mostBytes + 1; left > 0; ) {
    const part = Buffer.allocUnsafe(Math.min(left, PART_BYTES));
    const length = fs.readSync(fd, part);
    if (length === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, length));
    left -= length;
  }
  return null;
}

function kindOf(stats: fs.Stats): string {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** A socket cannot even be opened, nor a device without a driver. */
const describeFailure = (code: string): string =>
  code === 'ENXIO' ? 'it is a socket or a device, not a file' : describeProblem(code);
