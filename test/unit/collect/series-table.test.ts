import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSeriesTable, type SeriesBlock } from '../../../src/collect/series-table.ts';

describe('createSeriesTable', () => {
  it('writes each figure to its own column, however blocks come and go', () => {
    const step = fc.record({ open: fc.boolean(), length: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let columns = 0;
        const table = createSeriesTable(() => columns++);
        const open: { block: SeriesBlock; first: number }[] = [];
        for (const { open: opens, length } of steps) {
          const first = columns;
          if (opens || open.length === 0) {
            const names = Array.from({ length }, (_, i) => `s${i}`);
            const block = table.block('t', names);
            for (const place of names.keys()) block.set(place, first + place);
            open.push({ block, first });
          } else open.splice(length % open.length, 1)[0]?.block.close();
        }
        const row = new Float64Array(columns + 1).fill(-1);
        table.write(row);
        const written = open.flatMap(({ block, first }) => block.names.map((_, i) => first + i));
        const expected = Array.from(row, (_, column) => (written.includes(column) ? column : -1));
        expect([...row]).toEqual(expected);
      }),
    );
  });

  it('survives a row that is too short, and starts unknown', () => {
    const table = createSeriesTable(() => 5);
    const block = table.block('t', ['a']);
    expect(block.get(0)).toBeNaN();
    const row = new Float64Array(2);
    table.write(row);
    expect([...row]).toEqual([0, 0]);
  });

  it('lets no other error than a full history pass for one', () => {
    const table = createSeriesTable(() => {
      throw new TypeError('a bug');
    });
    expect(() => table.block('t', ['a'])).toThrow('a bug');
  });
});
