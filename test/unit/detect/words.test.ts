import { describe, expect, it } from 'vitest';
import { formatBytes, formatRate, formatSpan } from '../../../src/detect/words.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [-0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [12.34 * 2 ** 20, '12.3 MiB'],
    [812 * 2 ** 20, '812 MiB'],
    [-5 * 2 ** 30, '-5 GiB'],
    [2 ** 60, '1048576 TiB'],
    [NaN, 'unknown'],
    [Infinity, 'unknown'],
  ])('%d is %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words);
  });

  it('uses the unit that fits another size', () => {
    expect(formatBytes(2 ** 30, 5 * 2 ** 20)).toBe('1024 MiB');
  });
});

describe('formatRate', () => {
  it.each([
    [12 * 2 ** 20, '+12 MiB/h'],
    [-3072, '-3 KiB/h'],
    [0, '0 B/h'],
    [NaN, 'unknown'],
  ])('%d is %s', (bytesPerHour, words) => {
    expect(formatRate(bytesPerHour)).toBe(words);
  });
});

describe('formatSpan', () => {
  it.each([
    [0, '0 ms'],
    [250, '250 ms'],
    [45_000, '45 s'],
    [600_000, '10 min'],
    [7_500_000, '2 h 5 min'],
    [7_200_001, '2 h'],
    [30 * 86_400_000, '30 d'],
    [-61_000, '-1 min 1 s'],
    [NaN, 'unknown'],
    [Infinity, 'unknown'],
  ])('%d ms is %s', (spanMs, words) => {
    expect(formatSpan(spanMs)).toBe(words);
  });
});
