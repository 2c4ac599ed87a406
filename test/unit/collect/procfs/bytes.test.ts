import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  keysOf,
  readHundredths,
  readKeyed,
  readUint,
} from '../../../../src/collect/procfs/bytes.ts';

const keyed = (text: string, ...keys: string[]): number[] => {
  const bytes = Buffer.from(text);
  const values = new Float64Array(keys.length);
  readKeyed({ bytes, end: bytes.length }, keysOf(...keys), values);
  return [...values];
};

describe('readUint', () => {
  it('reads what Number reads, for any integer', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat({ max: 5 }), (value, spaces) => {
        const bytes = Buffer.from(`${' '.repeat(spaces)}${value} kB`);
        expect(readUint(bytes, 0, bytes.length)).toBe(value);
      }),
    );
  });

  it('says NaN for no digit and stops at the end it was given', () => {
    expect(readUint(Buffer.from('max\n'), 0, 4)).toBeNaN();
    expect(readUint(Buffer.from('-5'), 0, 2)).toBeNaN();
    expect(readUint(Buffer.from('123456'), 0, 3)).toBe(123);
    expect(readUint(Buffer.from('12'), 0, -1)).toBeNaN();
  });

  it('comes near enough for the no-limit of cgroup v1', () => {
    expect(readUint(Buffer.from('9223372036854771712'), 0, 19)).toBeGreaterThan(2 ** 62);
  });
});

describe('readHundredths', () => {
  it('reads two decimals exactly', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), (hundredths) => {
        const bytes = Buffer.from((hundredths / 100).toFixed(2));
        expect(readHundredths(bytes, 0, bytes.length)).toBe(hundredths);
      }),
    );
  });

  it('reads fewer decimals and refuses words', () => {
    expect(readHundredths(Buffer.from('7'), 0, 1)).toBe(700);
    expect(readHundredths(Buffer.from('7.5'), 0, 3)).toBe(750);
    expect(readHundredths(Buffer.from('x'), 0, 1)).toBeNaN();
  });
});

describe('readKeyed', () => {
  it('finds each key at the start of its line, in any order', () => {
    const text = 'SwapFree: 4 kB\nMemTotal:   9 kB\nMemAvailable: 3 kB\n';
    expect(keyed(text, 'MemTotal:', 'MemAvailable:', 'SwapFree:')).toEqual([9, 3, 4]);
  });

  it('takes no key for another and no value for a missing one', () => {
    expect(keyed('oom_killer 5\nxoom_kill 6\n', 'oom_kill ')).toEqual([Number.NaN]);
    expect(keyed('oom_kill 7', 'oom_kill ')).toEqual([7]);
    expect(keyed('', 'oom_kill ')).toEqual([Number.NaN]);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const values = new Float64Array(1);
        readKeyed({ bytes, end: bytes.length }, keysOf('a '), values);
        expect(values).toHaveLength(1);
      }),
    );
  });
});
