import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { machineUnits, parseAuxv } from '../../../../src/collect/procfs/auxv.ts';

const getconf = (name: string): number =>
  Number(execFileSync('getconf', [name], { encoding: 'utf8' }));

describe('machineUnits', () => {
  it('agrees with getconf', () => {
    expect(machineUnits()).toEqual({
      pageBytes: getconf('PAGESIZE'),
      ticksPerSecond: getconf('CLK_TCK'),
    });
  });
});

describe('parseAuxv', () => {
  it('reads either word size and byte order', () => {
    const little = Buffer.from(new BigUint64Array([6n, 16384n, 17n, 250n, 0n, 0n]).buffer);
    expect(parseAuxv(little, 8, true)).toEqual({ pageBytes: 16384, ticksPerSecond: 250 });
    const big = Buffer.alloc(16);
    for (const [i, word] of [6, 4096, 17, 100].entries()) big.writeUInt32BE(word, i * 4);
    expect(parseAuxv(big, 4, false)).toEqual({ pageBytes: 4096, ticksPerSecond: 100 });
  });

  it('knows nothing from a cut vector', () => {
    expect(parseAuxv(Buffer.alloc(9, 6), 8, true)).toEqual({
      pageBytes: Number.NaN,
      ticksPerSecond: Number.NaN,
    });
  });
});
