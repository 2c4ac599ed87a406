import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { statusView } from '../../src/http/status-view.ts';
import { canMount, mountTmpfs } from '../unit/ledger/tmpfs.ts';
import { aLog } from './a-log.ts';
import {
  aClock,
  alertsOf,
  aWarden,
  FIRES,
  HOUR_MS,
  sample,
  stop,
  stopWardens,
  timesOf,
} from './a-warden.ts';
import { aDataDir, anApp, end, endApps } from './an-app.ts';

afterEach(stopWardens);
afterEach(endApps);

describe('the disk', () => {
  it.skipIf(!canMount(aDataDir()))(
    'that is full is told of, and nothing is lost once there is room',
    async () => {
      await onSmallDisk(async (dataDir) => {
        const clock = aClock();
        const yaml = `history: { flush: 5s, retention: 1h }${FIRES}`;
        const warden = aWarden(yaml, { clock, dataDir });
        const warnings = (): readonly string[] => statusView(warden, 'self', '0').self.warnings;
        sample(warden, clock, 20);
        expect(warnings()).toEqual([]);
        const ballast = join(dataDir, 'ballast');
        fill(ballast);
        sample(warden, clock, 60);
        expect(warnings()).toEqual([expect.stringMatching(/disk: .*full/)]);
        expect(timesOf(warden)).toHaveLength(80);
        rmSync(ballast);
        sample(warden, clock, 10);
        expect(warnings()).toEqual([]);
        const times = timesOf(warden);
        await stop(warden);
        const again = aWarden(yaml, { clock, dataDir });
        expect(timesOf(again)).toEqual(times);
        expect(again.archive.droppedSegments).toBe(0);
        await stop(again);
      });
    },
  );

  it.skipIf(!canMount(aDataDir()))(
    'that is still full at the end costs the last samples, which is told, and the directory is let go',
    async () => {
      await onSmallDisk(async (dataDir) => {
        const clock = aClock();
        const yaml = 'history: { flush: 5s, retention: 1h }';
        const warden = aWarden(yaml, { clock, dataDir });
        sample(warden, clock, 20);
        const ballast = join(dataDir, 'ballast');
        fill(ballast);
        sample(warden, clock, 60);
        await expect(warden.stop()).rejects.toMatchObject({
          code: 'MEM_NOT_WRITTEN',
          message: expect.stringMatching(/lost: \d+ writes of history .*full/),
        });
        rmSync(ballast);
        const again = aWarden(yaml, { clock, dataDir });
        expect(timesOf(again).length).toBeGreaterThanOrEqual(20);
        await stop(again);
      });
    },
  );

  it.skipIf(!canMount(aDataDir()))(
    'that stays full costs the oldest history on it, which is told, and no state',
    async () => {
      await onSmallDisk(async (dataDir) => {
        const clock = aClock();
        const yaml = `history: { flush: 1s, retention: 1h }${FIRES}`;
        const warden = aWarden(yaml, { clock, dataDir });
        const ballast = join(dataDir, 'ballast');
        fill(ballast);
        sample(warden, clock, 300);
        expect(warden.archive.warnings).toEqual([
          expect.stringMatching(/^disk: .*full/),
          expect.stringMatching(/^\d+ writes of history were given up/),
        ]);
        rmSync(ballast);
        sample(warden, clock, 10);
        expect(warden.archive.warnings).toEqual([expect.stringContaining('given up')]);
        expect(timesOf(warden)).toHaveLength(310);
        await stop(warden);
        const again = aWarden(yaml, { clock, dataDir });
        expect(again.archive.warnings).toEqual([]);
        const told = alertsOf(again);
        sample(again, clock, 5);
        expect(told).toEqual([]);
        const kept = timesOf(again).length;
        expect(kept).toBeGreaterThan(60);
        expect(kept).toBeLessThan(310);
        await stop(again);
      });
    },
  );

  it.skipIf(!canMount(aDataDir()))(
    'that is full while the clock is stepped, for however long, has the right times afterwards',
    async () => {
      await onSmallDisk(async (dataDir) => {
        const clock = aClock();
        const yaml = 'history: { flush: 1s, retention: 24h }';
        const warden = aWarden(yaml, { clock, dataDir });
        sample(warden, clock, 20);
        const ballast = join(dataDir, 'ballast');
        fill(ballast);
        sample(warden, clock, 10);
        clock.step(2 * HOUR_MS);
        sample(warden, clock, 300);
        clock.step(-HOUR_MS);
        sample(warden, clock, 30);
        expect(warden.archive.warnings).toContainEqual(expect.stringMatching(/given up/));
        rmSync(ballast);
        sample(warden, clock, 10);
        const times = timesOf(warden);
        expect(times).toHaveLength(370);
        await stop(warden);
        const again = aWarden(yaml, { clock, dataDir });
        const kept = timesOf(again);
        expect(kept.slice(0, 20)).toEqual(times.slice(0, 20));
        expect(kept.at(-1)).toBe(times.at(-1));
        expect(kept.filter((time) => !times.includes(time))).toEqual([]);
        await stop(again);
      });
    },
  );

  it('with a corrupt file gets it moved aside and a new one begun, and that is said', async () => {
    const dataDir = aDataDir();
    await end(await anApp('', { dataDir }));
    const file = join(dataDir, 'memwarden.db');
    writeFileSync(file, Buffer.alloc(statSync(file).size, 'not a database '));
    const app = await anApp('', { dataDir });
    const { self, history } = (await app.inject('/internal/memory/status')).json();
    expect(self.warnings).toEqual([expect.stringMatching(/corrupt.*moved to/)]);
    expect(history.persistent).toBe(true);
    expect(readdirSync(dataDir).filter((name) => name.includes('corrupt'))).not.toEqual([]);
    await end(app);
    const again = await anApp('', { dataDir });
    expect((await again.inject('/internal/memory/status')).json().self.warnings).toEqual([]);
    expect(again.memory.history.firstMs).toBe(app.memory.history.firstMs);
  });

  it('with damaged rows in its file costs those rows, and each is told of', async () => {
    const dataDir = aDataDir();
    const clock = aClock(Date.now() - HOUR_MS);
    const warden = aWarden('history: { flush: 5s, retention: 24h }', { clock, dataDir });
    sample(warden, clock, 60);
    const times = timesOf(warden);
    await stop(warden);
    const [flipped, cut] = damage(dataDir);

    const log = aLog();
    const app = await anApp('', { dataDir, logger: log.logger });
    const { history } = (await app.inject('/internal/memory/status')).json();
    expect(history).toMatchObject({ dropped_segments: 2, persistent: true });
    const left = times.filter((time) => !isIn(flipped, time) && !isIn(cut, time));
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBe(times.length - flipped.rows - cut.rows);
    const query = `from=${new Date(times[0] as number).toISOString()}&series=rss_bytes&points=5000`;
    const answer = await app.inject(`/internal/memory/history?${query}`);
    const answered = answer.json().t.map(Date.parse);
    expect(answered.slice(0, left.length)).toEqual(left);
    expect(log.lines.filter(({ msg }) => String(msg).includes('damaged'))).toEqual(
      [flipped, cut].map(({ id }) =>
        expect.objectContaining({
          level: 40,
          segment: id,
          err: expect.objectContaining({ message: expect.any(String) }),
          msg: 'a history row is damaged and was left out',
        }),
      ),
    );
    await end(app);
    expect(aWarden('', { dataDir }).archive.droppedSegments).toBe(0);
  });

  it.skipIf(!canMount(aDataDir()))(
    'that is full from the start leaves a service that remembers in memory, and says so',
    async () => {
      await onSmallDisk(async (disk) => {
        const dataDir = join(disk, 'data');
        mkdirSync(dataDir);
        fill(join(disk, 'ballast'));
        const app = await anApp('', { dataDir });
        app.memory.tick();
        const { self, history, status } = (await app.inject('/internal/memory/status')).json();
        expect(status).toBe('ok');
        expect(history.persistent).toBe(false);
        expect(self.warnings).toEqual([expect.stringContaining('memory only')]);
        await end(app);
      });
    },
  );

  it('on which there can be no data directory stops the start, and says why', async () => {
    const file = join(aDataDir(), 'a-file');
    writeFileSync(file, '');
    await expect(anApp('', { dataDir: join(file, 'data') })).rejects.toMatchObject({
      code: 'MEM_DATA_DIR_UNUSABLE',
      message: expect.stringContaining(`${file} cannot be used for data: it is not a directory`),
    });
  });
});

interface Row {
  readonly id: number;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly rows: number;
}

const isIn = ({ first_ms, last_ms }: Row, time: number): boolean =>
  time >= first_ms && time <= last_ms;

/** Flips the bytes of one row of history and takes half of another's; tells which. */
function damage(dataDir: string): [flipped: Row, cut: Row] {
  const database = new Sqlite(join(dataDir, 'memwarden.db'));
  try {
    const [flipped, cut] = database.prepare('SELECT * FROM segments ORDER BY id').all() as Row[];
    if (!flipped || !cut) throw new Error('there are no two rows of history');
    const change = (row: Row, to: (bytes: Buffer) => Buffer): void => {
      const of = 'WHERE segment = ? AND part = 0';
      const parts = database.prepare(`SELECT bytes FROM segment_parts ${of}`).all(row.id);
      const [{ bytes }] = parts as [{ bytes: ArrayBuffer }];
      database
        .prepare(`UPDATE segment_parts SET bytes = ? ${of}`)
        .run(to(Buffer.from(bytes)), row.id);
    };
    change(flipped, (bytes) => bytes.map((byte, at) => (at % 100 === 50 ? ~byte : byte)) as Buffer);
    change(cut, (bytes) => bytes.subarray(0, bytes.length / 2));
    return [flipped, cut];
  } finally {
    database.close();
  }
}

/** A file system of 2 MB, taken away with whatever still uses it. */
async function onSmallDisk(work: (dataDir: string) => Promise<void>): Promise<void> {
  const disk = mountTmpfs(join(aDataDir(), 'disk'), 'size=2m');
  try {
    await work(disk.dir);
  } finally {
    await stopWardens();
    disk.unmount();
  }
}

/** Takes all the room there is. */
function fill(path: string): void {
  try {
    writeFileSync(path, Buffer.alloc(16 << 20));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}
