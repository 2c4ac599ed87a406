import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatSize,
  MEBIBYTE,
  MINUTE_MS,
  parseDuration,
  parseSize,
} from '../../../src/policy/units.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '10',
    '-5s',
    '+5s',
    '10 m',
    ' 10m',
    '10m ',
    '1e3s',
    'NaN',
    'Infinityd',
    '5y',
    '10MB',
    '.5s',
    '1..5s',
    '99999999999999999d',
    '200000000d',
    '10toString',
  ])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });

  it.each([null, undefined, true, {}, [], ['10m'], 10n, Number.NaN])('refuses %o', (value) => {
    expect(() => parseDuration(value, { numberUnit: MINUTE_MS })).toThrow(RangeError);
  });

  it('reads a bare number only where the key says what it counts', () => {
    expect(parseDuration(15, { numberUnit: MINUTE_MS })).toBe(900_000);
    expect(() => parseDuration(15)).toThrow(RangeError);
    expect(() => parseDuration(-1, { numberUnit: MINUTE_MS })).toThrow(RangeError);
    expect(() => parseDuration(Number.POSITIVE_INFINITY, { numberUnit: 1 })).toThrow(RangeError);
  });
});

describe('parseSize', () => {
  it.each([
    ['512MB', 512_000_000],
    ['512MiB', 536_870_912],
    ['1KB', 1_000],
    ['1KiB', 1_024],
    ['1GB', 1e9],
    ['1.5GiB', 1_610_612_736],
    ['1TB', 1e12],
    ['1TiB', 2 ** 40],
    ['7B', 7],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '512', '-1MB', '1 MB', '1mb', '1Mi', '1M', '30s', '99999999TiB', '1e9B'])(
    'refuses %j',
    (text) => {
      expect(() => parseSize(text)).toThrow(RangeError);
    },
  );

  it('reads a bare number of MiB', () => {
    expect(parseSize(512, { numberUnit: MEBIBYTE })).toBe(512 * 2 ** 20);
  });
});

describe('any text', () => {
  it('is a whole, safe, unsigned quantity or refused', () => {
    const texts = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.double(), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'MB', 'TiB'))
        .map(([n, u]) => `${n}${u}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        for (const parse of [parseDuration, parseSize]) {
          try {
            const quantity = parse(text);
            expect(Number.isSafeInteger(quantity)).toBe(true);
            expect(quantity).toBeGreaterThanOrEqual(0);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
    );
  });
});

describe('formatDuration', () => {
  it('reads back as the same number of milliseconds', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('chooses the largest unit that is exact', () => {
    expect([0, 1_500, 90_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      '0ms',
      '1500ms',
      '90s',
      '1h',
      '1d',
    ]);
    expect(formatDuration(Number.NaN)).toBe('unknown');
  });
});

describe('formatSize', () => {
  it('rounds to one decimal of a binary unit', () => {
    expect([0, 1_023, 1_572_864, 536_870_912, 2 ** 41].map(formatSize)).toEqual([
      '0B',
      '1023B',
      '1.5MiB',
      '512MiB',
      '2TiB',
    ]);
    expect(formatSize(Number.NaN)).toBe('unknown');
  });

  it('stays within five percent of the bytes it was given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 43 }), (bytes) => {
        expect(Math.abs(parseSize(formatSize(bytes)) - bytes)).toBeLessThanOrEqual(bytes * 0.05);
      }),
    );
  });
});
