import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/ledger/database.ts';
import { createStateStore } from '../../../src/ledger/state-store.ts';

const root = mkdtempSync(join(tmpdir(), 'memwarden-state-'));
const open = (dataDir: string): Database => openDatabase({ dataDir, nowMs: 0 });
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('state store', () => {
  it('is, over restarts, the map that the saves describe', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const key = fc.oneof(fc.constantFrom('a', 'rule\u0000api', ''), text);
    const entries = fc.array(fc.tuple(key, fc.option(text)), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 5 }), (saves) => {
        const dataDir = mkdtempSync(join(root, 'case-'));
        const expected = new Map<string, string>();
        for (const save of saves) {
          const database = open(dataDir);
          createStateStore(database).save(new Map(save));
          database.close();
          for (const [name, value] of new Map(save)) {
            if (value === null) expected.delete(name);
            else expected.set(name, value);
          }
        }
        const database = open(dataDir);
        expect(createStateStore(database).load()).toEqual(expected);
        database.close();
      }),
      { numRuns: 25 },
    );
  });

  it('notes when each was written', () => {
    const database = open(mkdtempSync(join(root, 'time-')));
    const beganMs = Date.now();
    createStateStore(database).save(new Map([['a', 'b']]));
    const [row] = database.prepare('SELECT updated_ms FROM state').all() as {
      updated_ms: number;
    }[];
    expect(row?.updated_ms).toBeGreaterThanOrEqual(beganMs - 1);
    expect(row?.updated_ms).toBeLessThanOrEqual(Date.now());
    database.close();
  });
});
