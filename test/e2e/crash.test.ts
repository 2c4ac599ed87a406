import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Sqlite from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canMount, mountTmpfs, type Tmpfs } from '../unit/ledger/tmpfs.ts';
import { endPrograms, eventually } from './program.ts';
import { createScratch, memwarden, type Scratch, type Service, startService } from './service.ts';

const FLUSH_MS = 1_000;
const POLICY = `
sampling: { interval: 100ms }
history: { flush: ${FLUSH_MS}ms }
thresholds:
  - { name: Always, metric_key: process_memory_mb, comparison: greater_than, threshold_value: 1, target: self }
`;

let scratch: Scratch;
let dataDir: string;
beforeEach(() => {
  scratch = createScratch();
  dataDir = join(scratch.dir, 'data');
});
afterEach(async () => {
  await endPrograms();
  scratch.remove();
});

const startHere = (): Promise<Service> => startService({ cwd: scratch.dir, policy: POLICY });

/** Times of all samples that are remembered. */
async function sampleTimes(service: Service): Promise<number[]> {
  const query = 'target=self&series=rss_bytes&from=1h&points=5000';
  const history = await service.get<{ t: string[] }>(`/internal/memory/history?${query}`);
  return history.t.map((time) => Date.parse(time));
}

const lastToldOf = async (service: Service): Promise<string | null | undefined> =>
  (await service.status('self')).thresholds.find(({ name }) => name === 'Always')?.last_notified;

const firedIn = (service: Service): string[] =>
  service.stderr.all.filter((line) => JSON.parse(line).alert?.event === 'fired');

function checkIntegrity(): unknown {
  const database = new Sqlite(join(dataDir, 'memwarden.db'));
  try {
    return database.pragma('integrity_check');
  } finally {
    database.close();
  }
}

describe('kill -9', () => {
  it('costs at most what was not flushed, and no rule forgets', async () => {
    const first = await startHere();
    const told = await eventually(
      () => lastToldOf(first),
      (time) => typeof time === 'string',
    );
    expect(firedIn(first)).toHaveLength(1);
    await first.end();

    for (let round = 0; round < 5; round++) {
      const service = await startHere();
      const before = await sampleTimes(service);
      const liveMs = Math.random() * 3 * FLUSH_MS;
      await pause(liveMs);
      const killedMs = Date.now();
      expect(await service.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      expect(checkIntegrity()).toEqual([{ integrity_check: 'ok' }]);

      const next = await startHere();
      const beganMs = Date.parse((await next.status()).timestamp);
      const kept = (await sampleTimes(next)).filter((time) => time < killedMs);
      const moment = `killed after ${liveMs} ms`;
      const flushed = before.filter((time) => time < killedMs - 2 * FLUSH_MS);
      expect(kept, moment).toEqual(expect.arrayContaining(flushed));
      const lostMs = killedMs - Number(kept.at(-1));
      expect(lostMs, moment).toBeLessThan(2 * FLUSH_MS);
      expect(beganMs).toBeGreaterThan(killedMs);
      expect(await lastToldOf(next), moment).toBe(told);
      expect(firedIn(next), moment).toEqual([]);
      expect(next.stderr.all.join(), moment).not.toContain('corrupt');
      await next.end();
    }
  });
});

describe('a data file that is damaged', () => {
  it.each([
    ['is truncated', (file: string) => truncateSync(file, 5_000)],
    ['is text', (file: string) => writeFileSync(file, 'no database at all\n'.repeat(1_000))],
    [
      'has random bytes in it',
      (file: string) => {
        const bytes = readFileSync(file);
        for (let at = 100; at < bytes.length; at += 50) bytes[at] = Math.random() * 256;
        writeFileSync(file, bytes);
      },
    ],
  ])('is moved aside and named when it %s', async (_how, damage) => {
    const first = await startHere();
    await eventually(first.status, ({ self }) => self.samples > 3);
    await first.end();
    damage(join(dataDir, 'memwarden.db'));

    const next = await startHere();
    const status = await next.status();
    const [warning] = status.self.warnings;
    const aside = readdirSync(dataDir).find((name) => name.includes('corrupt'));
    expect(aside).toBeDefined();
    expect(warning).toContain(String(aside));
    expect(status.history.persistent).toBe(true);
    await next.logged(({ msg }) => String(msg) === warning);
  });
});

describe('a data directory', () => {
  it('belongs to one memwarden; the next is refused and told whose it is', async () => {
    const { pid } = await startHere();
    const { code, stderr } = await memwarden(['--port', '0', '--data-dir', dataDir], {
      cwd: scratch.dir,
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`is in use by another memwarden (pid ${pid})`);
  });

  describe('on a file system of its own', () => {
    let tmpfs: Tmpfs;
    beforeEach(({ skip }) => {
      if (!canMount(join(scratch.dir, 'probe'))) skip('mounting needs root');
      tmpfs = mountTmpfs(dataDir, 'size=256k');
    });
    afterEach(() => tmpfs?.unmount());

    const expectWorking = async (service: Service, warning: RegExp): Promise<void> => {
      const status = await eventually(service.status, ({ self }) => self.samples > 3);
      expect(status.history.persistent).toBe(false);
      expect(status.self.warnings.join('\n')).toMatch(warning);
      expect(await service.post('/internal/memory/cleanup')).toHaveProperty('id');
      expect(await service.end()).toEqual({ code: 0, signal: null });
    };

    it('that is full costs the memory, not the service', async () => {
      expect(() => writeFileSync(join(dataDir, 'ballast'), Buffer.alloc(2 ** 20))).toThrow(
        'ENOSPC',
      );
      await expectWorking(await startHere(), /cannot be used .*full.*memory only/i);
    });

    it('that is read-only costs the memory, not the service', async () => {
      tmpfs.remount('ro');
      await expectWorking(await startHere(), /cannot be used .*EROFS.*memory only/i);
    });
  });
});
