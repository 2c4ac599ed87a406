import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import Sqlite from 'libsql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/ledger/database.ts';
import {
  createSegmentStore,
  type SegmentStore,
  type StoredSegment,
} from '../../../src/ledger/segment-store.ts';
import { compileLedger, runChild } from './compiled-ledger.ts';
import { canMount, mountTmpfs } from './tmpfs.ts';

const root = mkdtempSync(join(tmpdir(), 'memwarden-segments-'));
const opened: Database[] = [];
let dataDir = '';
let database: Database;
let store: SegmentStore;

const open = (dir: string): Database => {
  const next = openDatabase({ dataDir: dir, nowMs: 0 });
  opened.push(next);
  return next;
};
const segment = (id: number, over: Partial<StoredSegment> = {}): StoredSegment => ({
  id,
  level: 0,
  stepMs: 0,
  firstMs: 1_000 * id,
  lastMs: 1_000 * id + 999,
  rows: 10,
  body: new Uint8Array([id & 0xff, 0, 255]),
  ...over,
});
const everything = (from: SegmentStore) => ({
  keys: from.keys(),
  segments: [...from.segments()],
});
const ids = (from: SegmentStore): number[] => everything(from).segments.map(({ id }) => id);

beforeEach(() => {
  dataDir = mkdtempSync(join(root, 'case-'));
  database = open(dataDir);
  store = createSegmentStore(database);
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const PART = 64 * 1024;
const countParts = (): number => {
  const [row] = database.prepare('SELECT COUNT(*) AS parts FROM segment_parts').all();
  return (row as { parts: number }).parts;
};
const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7) >> 3);

describe('a large body', () => {
  it.each([0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 5])(
    'of %i bytes comes back, in the memory it is given',
    (length) => {
      const mapped = new Uint8Array(new ArrayBuffer(length + 8, { maxByteLength: length + 8 }));
      mapped.set(bytesOf(length), 8);
      store.apply({ keys: [], insert: [segment(1, { body: mapped.subarray(8) })], remove: [] });
      const asked: number[] = [];
      const [back] = store.segments((bytes) => {
        asked.push(bytes);
        return new Uint8Array(bytes);
      });
      expect(back?.body).toEqual(bytesOf(length));
      expect(asked).toEqual([length]);
      expect(countParts()).toBe(Math.ceil(length / PART));
    },
  );

  it('leaves no part behind when it is removed, replaced or discarded', () => {
    const large = segment(1, { body: bytesOf(3 * PART) });
    store.apply({ keys: [], insert: [large, segment(2)], remove: [] });
    expect(countParts()).toBe(4);
    store.apply({ keys: [], insert: [segment(1, { body: bytesOf(PART) })], remove: [] });
    expect(countParts()).toBe(2);
    store.apply({ keys: [], insert: [], remove: [2] });
    expect(countParts()).toBe(1);
    store.discard(1);
    expect(countParts()).toBe(0);
  });

  it('that has lost a part is that much shorter', () => {
    store.apply({ keys: [], insert: [segment(1, { body: bytesOf(3 * PART) })], remove: [] });
    database.prepare('DELETE FROM segment_parts WHERE part = 1').run();
    const [back] = store.segments();
    const whole = bytesOf(3 * PART);
    expect(back?.body).toHaveLength(2 * PART);
    expect(back?.body.subarray(0, PART)).toEqual(whole.subarray(0, PART));
    expect(back?.body.subarray(PART)).toEqual(whole.subarray(2 * PART));
  });
});

describe('segment store', () => {
  it('gives back what it was given, over a restart', () => {
    const anySegment = fc.record({
      id: fc.nat(),
      level: fc.nat(3),
      stepMs: fc.constantFrom(0, 10_000, 60_000),
      firstMs: fc.double({ noNaN: true, noDefaultInfinity: true }).map((ms) => ms + 0),
      lastMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      rows: fc.nat(),
      body: fc.uint8Array({ maxLength: 20_000 }),
    });
    const anyChange = fc.record({
      segments: fc.uniqueArray(anySegment, { selector: ({ id }) => id, maxLength: 10 }),
      keys: fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 50 }), { maxLength: 10 }),
    });
    fc.assert(
      fc.property(anyChange, ({ segments, keys }) => {
        const dir = mkdtempSync(join(root, 'round-'));
        const change = { keys: keys.map((key, id) => ({ id, key })), insert: segments, remove: [] };
        const first = openDatabase({ dataDir: dir, nowMs: 0 });
        createSegmentStore(first).apply(change);
        first.close();
        const second = openDatabase({ dataDir: dir, nowMs: 0 });
        try {
          const loaded = everything(createSegmentStore(second));
          expect(loaded.keys).toEqual(change.keys);
          expect(loaded.segments).toEqual(segments.toSorted((a, b) => a.id - b.id));
        } finally {
          second.close();
        }
      }),
      { numRuns: 25 },
    );
  });

  it('may be told the same change twice', () => {
    store.apply({ keys: [], insert: [segment(1), segment(2)], remove: [] });
    const change = {
      keys: [{ id: 0, key: 'api/rss_bytes' }],
      insert: [segment(3), segment(2, { rows: 7 })],
      remove: [1, 2, 99],
    };
    store.apply(change);
    const once = everything(store);
    store.apply(change);
    expect(everything(store)).toEqual(once);
    expect(once.segments.map(({ id, rows }) => [id, rows])).toEqual([
      [2, 7],
      [3, 10],
    ]);
  });

  it('writes a part from a larger buffer as that part', () => {
    store.apply({
      keys: [],
      insert: [segment(1, { body: new Uint8Array([1, 2, 3, 4]).subarray(1, 3) })],
      remove: [],
    });
    expect(everything(store).segments[0]?.body).toEqual(new Uint8Array([2, 3]));
  });

  it('does nothing of a change that is wrong', () => {
    store.apply({ keys: [], insert: [segment(1)], remove: [] });
    const wrong = {
      keys: [],
      insert: [segment(2), segment(3, { firstMs: Number.NaN })],
      remove: [1],
    };
    expect(() => store.apply(wrong)).toThrow(/NOT NULL/);
    expect(ids(store)).toEqual([1]);
  });

  it('discards one', () => {
    store.apply({ keys: [], insert: [segment(1), segment(2)], remove: [] });
    store.discard(1);
    store.discard(77);
    expect(ids(store)).toEqual([2]);
  });

  it('shifts all in time, there and back', () => {
    store.apply({ keys: [], insert: [segment(1), segment(2, { firstMs: 0.25 })], remove: [] });
    const before = everything(store);
    store.shift(-3_600_000.5);
    expect(everything(store).segments[0]).toMatchObject({
      firstMs: -3_599_000.5,
      lastMs: -3_598_001.5,
    });
    store.shift(3_600_000.5);
    expect(everything(store)).toEqual(before);
  });
});

describe('when writing fails', () => {
  const change = { keys: [{ id: 0, key: 'a' }], insert: [segment(1)], remove: [] };

  it('throws when another process holds the file, and succeeds when told again', () => {
    const other = new Sqlite(join(dataDir, 'memwarden.db'));
    other.exec('BEGIN IMMEDIATE');
    expect(() => store.apply(change)).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }));
    other.exec('COMMIT');
    other.close();
    store.apply(change);
    expect(ids(store)).toEqual([1]);
  });

  it.skipIf(!canMount(join(root, 'probe')))(
    'throws on a full disk, keeps what was there, and goes on when there is room',
    () => {
      const disk = mountTmpfs(join(root, 'full'), 'size=1m');
      try {
        const full = open(join(disk.dir, 'data'));
        const onDisk = createSegmentStore(full);
        const large = (id: number) => ({
          keys: [],
          insert: [segment(id, { body: new Uint8Array(60_000) })],
          remove: [],
        });
        const acknowledged: number[] = [];
        const fill = (): void => {
          for (let id = 1; id < 100; id++) {
            onDisk.apply(large(id));
            acknowledged.push(id);
          }
        };
        expect(fill).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/FULL|IOERR/) }),
        );
        expect(acknowledged.length).toBeGreaterThan(1);
        expect(ids(onDisk)).toEqual(acknowledged);
        expect(() => onDisk.apply(large(99))).toThrow();
        disk.remount('size=8m');
        onDisk.apply(large(99));
        expect(ids(onDisk)).toEqual([...acknowledged, 99]);
        for (let id = 100; id < 180; id++) onDisk.apply({ ...large(id), remove: [id - 1] });
        expect(ids(onDisk)).toEqual([...acknowledged, 179]);
      } finally {
        for (const one of opened.splice(0)) one.close();
        disk.unmount();
      }
    },
  );
});

it.skipIf(!canMount(join(root, 'probe')))(
  'closes on a full disk, and all is there once there is room',
  () => {
    const disk = mountTmpfs(join(root, 'full-close'), 'size=1m');
    try {
      const full = open(join(disk.dir, 'data'));
      const onDisk = createSegmentStore(full);
      const body = new Uint8Array(60_000);
      for (let id = 1; id < 6; id++)
        onDisk.apply({ keys: [], insert: [segment(id, { body })], remove: [] });
      const ballast = openSync(join(disk.dir, 'ballast'), 'w');
      expect(() => {
        for (;;) writeSync(ballast, body);
      }).toThrow(/ENOSPC/);
      closeSync(ballast);
      full.close();
      disk.remount('size=8m');
      const again = open(join(disk.dir, 'data'));
      expect(again).toMatchObject({ persistent: true, warnings: [] });
      expect(ids(createSegmentStore(again))).toEqual([1, 2, 3, 4, 5]);
    } finally {
      for (const one of opened.splice(0)) one.close();
      disk.unmount();
    }
  },
);

describe('kill -9 in the middle of writing', () => {
  let compiledDir = '';
  beforeAll(() => {
    compiledDir = compileLedger(root);
  });

  it.each([1, 2, 3])(
    'loses nothing that was acknowledged and keeps the file sound (%i)',
    async () => {
      database.close();
      const child = runChild(
        compiledDir,
        `import { writeSync } from 'node:fs';
       import { openDatabase } from './ledger/database.js';
       import { createSegmentStore } from './ledger/segment-store.js';
       const store = createSegmentStore(openDatabase({ dataDir: ${JSON.stringify(dataDir)}, nowMs: 0 }));
       const meta = { level: 0, stepMs: 0, firstMs: 0, lastMs: 0, rows: 1 };
       for (let id = 2; ; id += 2) {
         const body = new Uint8Array(30_000).fill(id);
         store.apply({ keys: [], insert: [{ ...meta, id, body }, { ...meta, id: id + 1, body }], remove: [id - 200, id - 199] });
         writeSync(1, id + '\\n');
       }`,
      );
      let acknowledged = 0;
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      lines.on('line', (line) => {
        acknowledged = Number(line);
        if (acknowledged >= 600) child.kill('SIGKILL');
      });
      await Promise.all([once(lines, 'close'), once(child, 'exit')]);

      const after = open(dataDir);
      expect(after.warnings).toEqual([]);
      expect(after.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      const { segments } = everything(createSegmentStore(after));
      const last = segments.at(-1)?.id ?? 0;
      // The pair after the last one told may have been written too, but only as a pair.
      expect([acknowledged + 1, acknowledged + 3]).toContain(last);
      expect(segments.map(({ id }) => id)).toEqual(
        Array.from({ length: 200 }, (_, i) => last - 199 + i),
      );
      expect(
        segments.every(({ id, body }) => body.every((byte) => byte === ((id - (id % 2)) & 0xff))),
      ).toBe(true);
    },
  );
});

describe('in memory only', () => {
  it('works the same', () => {
    opened.pop()?.close();
    // the byte that says who may write the file: none that we know
    const file = openSync(join(dataDir, 'memwarden.db'), 'r+');
    writeSync(file, Uint8Array.of(99), 0, 1, 18);
    closeSync(file);
    const unwritable = open(dataDir);
    expect(unwritable.persistent).toBe(false);
    const memory = createSegmentStore(unwritable);
    memory.apply({ keys: [], insert: [segment(1)], remove: [] });
    expect(everything(memory).segments).toEqual([segment(1)]);
  });
});
