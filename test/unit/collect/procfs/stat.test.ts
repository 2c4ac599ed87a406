import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStat, isDead, parseStat } from '../../../../src/collect/procfs/stat.ts';
import { statLine } from '../fake-proc.ts';

const parse = (text: string): ReturnType<typeof createStat> | null => {
  const stat = createStat();
  const bytes = Buffer.from(text);
  return parseStat(bytes, bytes.length, stat) ? stat : null;
};

describe('parseStat', () => {
  it('reads any figures after any command name', () => {
    const natural = fc.nat({ max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(
        fc.string({ minLength: 0, maxLength: 15, unit: 'binary' }),
        fc.record({
          pid: natural,
          ppid: natural,
          cpuTicks: natural,
          threads: natural,
          startTicks: natural,
          rssPages: natural,
        }),
        (comm, figures) => {
          const stat = parse(statLine({ comm, ...figures }));
          const { pid, ...expected } = figures;
          expect(stat).toMatchObject(expected);
        },
      ),
    );
  });

  it('is not fooled by a command name that looks like the rest of the line', () => {
    expect(parse(statLine({ pid: 9, comm: ') R 1 1 (', ppid: 77, rssPages: 5 }))).toMatchObject({
      ppid: 77,
      rssPages: 5,
    });
  });

  it('refuses whatever is no stat line, at any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const stat = createStat();
        const parsed = parseStat(bytes, bytes.length, stat);
        if (parsed) expect(Number.isNaN(stat.rssPages + stat.startTicks)).toBe(false);
      }),
    );
    const whole = statLine({ pid: 9, rssPages: 5 });
    const field24 = whole.indexOf('3133440') + '3133440 '.length;
    for (let end = 0; end < field24; end++) expect(parse(whole.slice(0, end))).toBeNull();
  });

  it('tells the dead from the living', () => {
    const stateOf = (state: string): boolean => {
      const stat = parse(statLine({ pid: 9, state }));
      return stat !== null && isDead(stat);
    };
    expect(['R', 'S', 'D', 'T', 'I'].map(stateOf)).not.toContain(true);
    expect(['Z', 'X'].map(stateOf)).not.toContain(false);
  });
});
