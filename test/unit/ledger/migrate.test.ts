import Sqlite from 'libsql';
import { beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../../src/ledger/migrate.ts';
import { type Migration, migrations } from '../../../src/ledger/migrations.ts';

const ONE: Migration = { number: 1, name: 'one', sql: 'CREATE TABLE one (id INTEGER)' };
const TWO: Migration = { number: 2, name: 'two', sql: 'CREATE TABLE two (id INTEGER)' };
let connection: Sqlite.Database;

const apply = (steps: readonly Migration[]): void =>
  migrate(connection, { migrations: steps, path: '/data/memwarden.db', nowMs: 1_000 });
const tables = (): string[] =>
  (
    connection.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all() as {
      name: string;
    }[]
  ).map((table) => table.name);

beforeEach(() => {
  connection = new Sqlite(':memory:');
});

describe('migrate', () => {
  it('numbers the released steps without gaps', () => {
    expect(migrations.map((step) => step.number)).toEqual(migrations.map((_, i) => i + 1));
  });

  it('runs what is missing, once', () => {
    apply([ONE]);
    apply([ONE, TWO]);
    apply([ONE, TWO]);
    expect(tables()).toEqual(['migrations', 'one', 'two']);
    expect(connection.prepare('SELECT number, name, applied_ms FROM migrations').all()).toEqual([
      { number: 1, name: 'one', applied_ms: 1_000 },
      { number: 2, name: 'two', applied_ms: 1_000 },
    ]);
  });

  it('leaves nothing of a step that fails, and can run it later', () => {
    const broken = { ...TWO, sql: `${TWO.sql}; CREATE TABLE one (id INTEGER)` };
    expect(() => apply([ONE, broken])).toThrow(/one already exists/);
    expect(tables()).toEqual(['migrations', 'one']);
    apply([ONE, TWO]);
    expect(tables()).toEqual(['migrations', 'one', 'two']);
  });

  it('keeps names and state of a file of the first schema', () => {
    apply(migrations.slice(0, 1));
    connection.exec(`
      INSERT INTO series VALUES (0, 'api/rss_bytes');
      INSERT INTO state VALUES ('rule:a', '{}', 0);
      INSERT INTO segments VALUES (1, 0, 0, 0, 1, 1, x'00');
    `);
    apply(migrations);
    const count = (table: string) =>
      (connection.prepare(`SELECT COUNT(*) AS n FROM ${table}`).all()[0] as { n: number }).n;
    expect([count('series'), count('state'), count('segments')]).toEqual([1, 1, 0]);
  });

  it('refuses a newer file and an edited step', () => {
    apply([ONE, TWO]);
    expect(() => apply([ONE])).toThrow(expect.objectContaining({ code: 'MEM_DATABASE_NEWER' }));
    expect(() => apply([{ ...ONE, sql: 'SELECT 1' }, TWO])).toThrow(
      expect.objectContaining({ code: 'MEM_DATABASE_UNUSABLE' }),
    );
  });
});
