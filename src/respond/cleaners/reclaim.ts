import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanupLevel } from '../../policy/policy.ts';
import { type Cleaner, type CleanerResult, SkipCleaner } from '../cleaner.ts';

const UNAVAILABLE: Readonly<Record<string, string>> = {
  ENOENT: 'has no memory.reclaim: that needs cgroup v2 and Linux 5.19',
  EACCES: 'does not let us write memory.reclaim',
  EPERM: 'does not let us write memory.reclaim',
  EROFS: 'is mounted read-only',
};

export interface ReclaimOptions {
  readonly name: string;
  readonly target: string;
  readonly level: CleanupLevel;
  readonly timeoutMs: number;
  readonly bytes: number;
  /** directory of the target's cgroup v2 now; null when it has none */
  cgroupDir(): string | null;
}

/**
 * Asks the kernel to take memory back from the target's cgroup: page cache first, then swap.
 * Skipped where that is not possible.
 */
export function createReclaimCleaner(options: ReclaimOptions): Cleaner {
  const { name, target, level, timeoutMs, bytes } = options;
  return {
    name,
    target,
    level,
    timeoutMs,
    freesPageCache: true,
    plan: () => `ask the kernel to reclaim ${bytes} bytes from the cgroup of ${target}`,
    run() {
      const dir = options.cgroupDir();
      if (dir === null) throw new SkipCleaner(`${target} is in no cgroup v2`);
      return reclaim(dir, bytes);
    },
  };
}

/**
 * Writes to `<dir>/memory.reclaim` and says by how much memory.current fell. The write returns when
 * the kernel is done, in a thread of libuv's pool, and cannot be interrupted.
 *
 * @param bytes a whole number
 * @throws SkipCleaner where the file is missing or may not be written
 */
export async function reclaim(dir: string, bytes: number): Promise<CleanerResult> {
  const before = await currentBytes(dir);
  try {
    // Not O_CREAT: in a directory that is no cgroup a file would appear and nothing be reclaimed.
    const file = await open(join(dir, 'memory.reclaim'), constants.O_WRONLY);
    try {
      await file.write(`${bytes}`);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = UNAVAILABLE[code];
    if (reason) throw new SkipCleaner(`${dir} ${reason}`);
    // EAGAIN: the kernel found less than was asked for. What it found, it took.
    if (code !== 'EAGAIN') throw error;
  }
  const freedBytes = before - (await currentBytes(dir));
  // Unknown, or grown meanwhile: the run then measures the target instead.
  return { freedBytes: freedBytes >= 0 ? freedBytes : null };
}

/** NaN when it cannot be read. */
async function currentBytes(dir: string): Promise<number> {
  try {
    return Number.parseInt(await readFile(join(dir, 'memory.current'), 'utf8'), 10);
  } catch {
    return Number.NaN;
  }
}
