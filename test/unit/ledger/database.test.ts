import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import Sqlite from 'libsql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/ledger/database.ts';
import { createSegmentStore } from '../../../src/ledger/segment-store.ts';
import { createStateStore } from '../../../src/ledger/state-store.ts';
import { compileLedger, runChild } from './compiled-ledger.ts';
import { canMount, mountTmpfs } from './tmpfs.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const root = mkdtempSync(join(tmpdir(), 'memwarden-database-'));
const opened: Database[] = [];
let dataDir = '';
let compiledDir = '';

const open = (dir = dataDir): Database => {
  const database = openDatabase({ dataDir: dir, nowMs: NOW_MS });
  opened.push(database);
  return database;
};
const file = (name = 'memwarden.db'): string => join(dataDir, name);
const mode = (path: string): number => statSync(path).mode & 0o777;
const save = (database: Database, key: string): void =>
  createStateStore(database).save(new Map([[key, 'kept']]));
const keys = (database: Database): string[] => [...createStateStore(database).load().keys()];

beforeAll(() => {
  compiledDir = compileLedger(root);
});
beforeEach(() => {
  dataDir = join(mkdtempSync(join(root, 'case-')), 'data');
});
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('a usable directory', () => {
  it('is created for its owner only, -wal and -shm included', () => {
    const database = open();
    save(database, 'a');
    expect(database).toMatchObject({ persistent: true, path: file(), warnings: [] });
    expect(mode(dataDir)).toBe(0o700);
    for (const name of ['memwarden.db', 'memwarden.db-wal', 'memwarden.db-shm', 'memwarden.lock']) {
      expect([name, mode(file(name))]).toEqual([name, 0o600]);
    }
  });

  it('keeps what was written over a close, and folds the log into the file', () => {
    const first = open();
    save(first, 'a');
    first.close();
    first.close();
    expect(existsSync(file('memwarden.pid'))).toBe(false);
    expect(existsSync(file('memwarden.db-wal')) ? statSync(file('memwarden.db-wal')).size : 0).toBe(
      0,
    );
    expect(keys(open())).toEqual(['a']);
  });

  it('does all of a write or none of it, and says what stopped it', () => {
    const database = open();
    const half = (): void =>
      database.write(() => {
        database.prepare('INSERT INTO state VALUES (?, ?, ?)').run('half', '', 0);
        throw new Error('the caller failed');
      });
    expect(half).toThrow('the caller failed');
    expect(keys(database)).toEqual([]);
    save(database, 'next');
    expect(keys(database)).toEqual(['next']);
  });

  it('refuses to work after close', () => {
    const database = open();
    database.close();
    expect(() => save(database, 'late')).toThrow(/not open/);
    expect(keys(open())).toEqual([]);
  });

  it('gives up soon when another process holds the file, and works once it lets go', () => {
    const database = open();
    const other = new Sqlite(file());
    other.exec('BEGIN IMMEDIATE');
    const beganMs = performance.now();
    expect(() => save(database, 'a')).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }));
    expect(performance.now() - beganMs).toBeLessThan(2_000);
    other.exec('ROLLBACK');
    other.close();
    save(database, 'a');
    expect(keys(database)).toEqual(['a']);
  });
});

describe('a corrupt file', () => {
  const PATHS = ['memwarden.db', 'memwarden.db-wal', 'memwarden.db-shm'];
  const fill = (): void => {
    const database = open();
    const entries = Array.from({ length: 2_000 }, (_, i) => [`key ${i}`, 'x'.repeat(100)] as const);
    createStateStore(database).save(new Map(entries));
  };
  const sound = (): Buffer => {
    fill();
    opened.pop()?.close();
    return readFileSync(file());
  };
  /** As another file of that name: a closed connection lives on until its statements are collected. */
  const replace = (name: string, bytes: Uint8Array): void => {
    rmSync(file(name), { force: true });
    writeFileSync(file(name), bytes);
  };
  const flip = (bytes: Buffer, at: number): Buffer => {
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
    return bytes;
  };
  const noisy = (bytes: Buffer, start: number, end: number): Buffer =>
    Buffer.from(bytes.map((byte, i) => (i >= start && i < end ? (i * 167 + 13) & 0xff : byte)));

  it.each([
    ['its header is noise', (bytes: Buffer) => noisy(bytes, 0, 100)],
    ['its middle is noise', (bytes: Buffer) => noisy(bytes, 40_000, 80_000)],
    ['it is cut short', (bytes: Buffer) => bytes.subarray(0, 50_000)],
    ['it is no database at all', () => Buffer.from('hello '.repeat(2_000))],
  ])('is moved aside and begun anew when %s', (_, damage) => {
    const damaged = damage(sound());
    replace('memwarden.db', damaged);
    const database = open();
    const aside = file('memwarden.db.corrupt-2026-01-02T03-04-05.678Z');
    expect(database.persistent).toBe(true);
    expect(database.warnings).toEqual([expect.stringContaining(aside)]);
    expect(readFileSync(aside).equals(damaged)).toBe(true);
    save(database, 'new');
    expect(keys(database)).toEqual(['new']);
  });

  it.each([
    ['renames a column', (bytes: Buffer) => flip(bytes, bytes.indexOf('first_ms'))],
    [
      'renames a column of its migrations',
      (bytes: Buffer) => flip(bytes, bytes.indexOf('checksum')),
    ],
    ['makes its format unknown', (bytes: Buffer) => flip(bytes, 47)],
  ])('is moved aside when one flipped bit %s, which quick_check does not see', (_, damage) => {
    replace('memwarden.db', damage(sound()));
    const database = open();
    expect(database.warnings).toEqual([expect.stringContaining('is corrupt')]);
    expect(keys(database)).toEqual([]);
  });

  it('goes on in memory when the file says that it is for newer programs to write', () => {
    replace('memwarden.db', flip(sound(), 18));
    expect(open()).toMatchObject({
      persistent: false,
      warnings: [expect.stringContaining('readonly')],
    });
  });

  it('is not one that has a table of its own', () => {
    save(open(), 'a');
    opened.pop()?.close();
    const connection = new Sqlite(file());
    connection.exec('CREATE TABLE notes (text TEXT); CREATE INDEX mine ON state (updated_ms)');
    connection.close();
    expect(open().warnings).toEqual([]);
  });

  it('takes its log with it, so that the new file does not replay the old one', () => {
    fill();
    opened.pop()?.close();
    save(open(), 'in the log');
    const [main, ...log] = PATHS.map((name) => readFileSync(file(name)));
    opened.pop()?.close();
    const files = [noisy(main as Buffer, 40_000, 80_000), ...log];
    for (const [i, name] of PATHS.entries()) replace(name, files[i] as Buffer);
    expect(keys(open())).toEqual([]);
    opened.pop()?.close();
    expect(existsSync(file('memwarden.db.corrupt-2026-01-02T03-04-05.678Z-wal'))).toBe(true);
    expect(keys(open())).toEqual([]);
  });

  it('never stops the start, wherever and however it is damaged', () => {
    const bytes = sound();
    const anyNoise = fc.uint8Array({ minLength: 1, maxLength: 5_000 });
    // the header and the schema are where a single byte matters
    const anyOffset = fc.oneof(fc.nat(100), fc.nat(4_096), fc.nat(bytes.length - 1));
    fc.assert(
      fc.property(anyOffset, anyNoise, fc.boolean(), (offset, noise, cut) => {
        const damaged = Buffer.from(cut ? bytes.subarray(0, offset) : bytes);
        if (!cut) damaged.set(noise.subarray(0, damaged.length - offset), offset);
        dataDir = mkdtempSync(join(root, 'damaged-'));
        replace('memwarden.db', damaged);
        const database = openDatabase({ dataDir, nowMs: NOW_MS });
        try {
          expect(database.persistent || database.warnings.length > 0).toBe(true);
          save(database, 'after');
          [...createSegmentStore(database).segments()];
          expect(createStateStore(database).load().get('after')).toBe('kept');
        } finally {
          database.close();
          rmSync(dataDir, { recursive: true });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('ignores noise in the log', () => {
    replace('memwarden.db', sound());
    replace('memwarden.db-wal', Buffer.alloc(100_000, 0xa5));
    const database = open();
    expect(database.warnings).toEqual([]);
    expect(keys(database)).toHaveLength(2_000);
  });
});

describe('a directory that cannot be used', () => {
  const refusal = (path: string, reason: string) =>
    expect.objectContaining({
      code: 'MEM_DATA_DIR_UNUSABLE',
      message: `${path} cannot be used for data: ${reason}. Mend that, or choose another directory: data_dir, or --data-dir DIR.`,
    });

  it('is refused when a file is in its place, or above it', () => {
    writeFileSync(dataDir, 'not a directory');
    const why = refusal(dataDir, 'it is not a directory');
    expect(() => open()).toThrow(why);
    expect(() => open(file('below'))).toThrow(why);
    expect(() => open(join(file('far'), 'below'))).toThrow(why);
  });

  it('is refused at once where none can be made', () => {
    expect(() => open('/proc/memwarden/data')).toThrow(
      refusal('/proc/memwarden/data', 'it cannot be made'),
    );
  });

  it.each(['memwarden.db', 'memwarden.db-wal', 'memwarden.lock', 'memwarden.pid'])(
    'is refused while %s is a directory',
    (name) => {
      mkdirSync(file(name), { recursive: true });
      expect(() => open()).toThrow(refusal(file(name), 'it is not a regular file'));
      rmdirSync(file(name));
      expect(open()).toMatchObject({ persistent: true, warnings: [] });
    },
  );

  it('is made with those above it, for their owner only', () => {
    expect(open(join(dataDir, 'a', 'b')).persistent).toBe(true);
    for (const dir of [dataDir, file('a'), join(file('a'), 'b')]) expect(mode(dir)).toBe(0o700);
  });
});

describe.skipIf(!canMount(join(root, 'probe')))('a disk of its own (needs mount)', () => {
  it('goes on in memory on a full one, and is persistent again when there is room', () => {
    const disk = mountTmpfs(join(root, 'full'), 'size=1m');
    try {
      writeFileSync(join(disk.dir, 'ballast'), Buffer.alloc(1024 * 1024 - 8_192));
      const database = open(join(disk.dir, 'data'));
      expect(database.persistent).toBe(false);
      expect(database.warnings[0]).toMatch(/in memory only/);
      rmSync(join(disk.dir, 'ballast'));
      expect(open(join(disk.dir, 'data'))).toMatchObject({ persistent: true, warnings: [] });
    } finally {
      for (const database of opened.splice(0)) database.close();
      disk.unmount();
    }
  });

  it('goes on in memory on a read-only one, with or without a database on it', () => {
    const disk = mountTmpfs(join(root, 'read-only'), 'size=1m');
    try {
      save(open(), 'a');
      opened.pop()?.close();
      mkdirSync(join(disk.dir, 'data'));
      copyFileSync(file(), join(disk.dir, 'data', 'memwarden.db'));
      disk.remount('ro');
      for (const name of ['data', 'other']) {
        const database = open(join(disk.dir, name));
        expect(database.persistent).toBe(false);
        expect(database.warnings).toEqual([expect.stringMatching(/EROFS.*in memory only/)]);
      }
    } finally {
      for (const database of opened.splice(0)) database.close();
      disk.unmount();
    }
  });
});

describe('one memwarden per directory', () => {
  const HOLD = `
    import { openDatabase } from './ledger/database.js';
    const database = openDatabase({ dataDir: DATA_DIR, nowMs: Date.now() });
    console.log(database.persistent);
    setInterval(() => {}, 1000);`;
  const holdInChild = async () => {
    const child = runChild(compiledDir, HOLD.replace('DATA_DIR', JSON.stringify(dataDir)));
    const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    expect(String(said)).toBe('true\n');
    return child;
  };

  it('refuses a second one in this process, and leaves the first its lock', () => {
    open();
    for (let i = 0; i < 3; i++) {
      expect(() => open()).toThrow(
        expect.objectContaining({
          code: 'MEM_CONFLICT',
          message: expect.stringContaining(`pid ${process.pid}`),
        }),
      );
    }
  });

  it('refuses while another process lives, names it, and takes over after its kill -9', async () => {
    const child = await holdInChild();
    try {
      expect(() => open()).toThrow(
        new RegExp(`in use by another memwarden \\(pid ${child.pid}\\)`),
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(open()).toMatchObject({ persistent: true, warnings: [] });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('lets exactly one of several in that start together', async () => {
    const script = `
      import { openDatabase } from './ledger/database.js';
      process.stdin.once('data', () => {
        try {
          console.log(openDatabase({ dataDir: ${JSON.stringify(dataDir)}, nowMs: 0 }).persistent);
        } catch (error) {
          console.log(error.code);
        }
      });
      console.log('ready');`;
    const children = Array.from({ length: 5 }, () => runChild(compiledDir, script));
    const next = async (child: ChildProcess) =>
      String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0]).trim();
    try {
      await Promise.all(children.map(next));
      const answers = children.map(next);
      for (const child of children) child.stdin?.write('go');
      expect((await Promise.all(answers)).sort()).toEqual([
        ...Array(4).fill('MEM_CONFLICT'),
        'true',
      ]);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('refuses without a pid when that file says nothing', async () => {
    const child = await holdInChild();
    try {
      writeFileSync(file('memwarden.pid'), 'nonsense');
      expect(() => open()).toThrow(/in use by another memwarden:/);
      rmSync(file('memwarden.pid'));
      expect(() => open()).toThrow(/in use by another memwarden:/);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});

describe('the schema', () => {
  const edit = (sql: string): void => {
    open().close();
    const connection = new Sqlite(file());
    connection.exec(sql);
    connection.close();
  };

  it('refuses a file that a newer memwarden wrote, naming both versions', () => {
    edit(`INSERT INTO migrations VALUES (41, 'from the future', 'x', 0)`);
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'MEM_DATABASE_NEWER',
        message: expect.stringMatching(/schema version 41 .* knows up to 2: .*move the file away/),
      }),
    );
    expect(existsSync(file('memwarden.pid'))).toBe(false);
  });

  it('refuses a file whose migration was another one', () => {
    edit(`UPDATE migrations SET checksum = 'edited' WHERE number = 1`);
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'MEM_DATABASE_UNUSABLE',
        message: expect.stringMatching(/migration 1 \("history segments and state"\)/),
      }),
    );
  });
});
