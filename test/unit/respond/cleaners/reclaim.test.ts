import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createReclaimCleaner, reclaim } from '../../../../src/respond/cleaners/reclaim.ts';
import { aCleanup } from '../a-cleanup.ts';

/** A directory with a cgroup's files: the file protocol is tested here, not the kernel behind it. */
const root = mkdtempSync(join(tmpdir(), 'memwarden-reclaim-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
const aCgroup = (files: Record<string, string>): string => {
  const dir = mkdtempSync(join(root, 'cgroup-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
};
async function row(cgroupDir: string | null) {
  const { cleanup } = aCleanup();
  cleanup.register(
    createReclaimCleaner({
      name: 'cache',
      target: 'api',
      level: 'gentle',
      timeoutMs: 1_000,
      bytes: 4096,
      cgroupDir: () => cgroupDir,
    }),
  );
  return (await cleanup.run({ level: 'gentle', reason: 'test' })).results[0];
}

describe('reclaim', () => {
  it('asks for the bytes and says by how much usage fell', async () => {
    const dir = aCgroup({ 'memory.reclaim': '', 'memory.current': '1000000\n' });
    expect(await reclaim(dir, 4096)).toEqual({ freedBytes: 0 });
    expect(readFileSync(join(dir, 'memory.reclaim'), 'utf8')).toBe('4096');
    expect(await row(dir)).toMatchObject({ outcome: 'ok', freedBytes: 0 });
  });

  it('does not know what it freed when usage cannot be read', async () => {
    expect(await reclaim(aCgroup({ 'memory.reclaim': '' }), 1)).toEqual({ freedBytes: null });
    const dir = aCgroup({ 'memory.reclaim': '', 'memory.current': 'nonsense' });
    expect(await reclaim(dir, 1)).toEqual({ freedBytes: null });
  });

  it('is skipped where there is no memory.reclaim, and makes none', async () => {
    const dir = aCgroup({ 'memory.current': '1' });
    expect(await row(dir)).toMatchObject({
      outcome: 'skipped',
      error: expect.stringContaining('Linux 5.19'),
    });
    expect(existsSync(join(dir, 'memory.reclaim'))).toBe(false);
    expect(await row(join(root, 'gone'))).toMatchObject({ outcome: 'skipped' });
    expect(await row(null)).toMatchObject({ outcome: 'skipped', error: 'api is in no cgroup v2' });
  });

  it('fails, and is not skipped, for any other reason', async () => {
    const dir = aCgroup({});
    mkdirSync(join(dir, 'memory.reclaim'));
    expect(await row(dir)).toMatchObject({
      outcome: 'failed',
      error: expect.stringContaining('EISDIR'),
    });
  });
});
