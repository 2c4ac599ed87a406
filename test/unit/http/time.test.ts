import { describe, expect, it } from 'vitest';
import { parseTime } from '../../../src/http/time.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const parse = (value: string | undefined) => parseTime(value, now, 42, 'from');

describe('a moment in a query', () => {
  it.each([
    ['2026-01-01T11:00:00Z', now - 3_600_000],
    ['2026-01-01T13:00:00+02:00', now - 3_600_000],
    ['10m', now - 600_000],
    ['1767265200', now - 3_600_000],
    [undefined, 42],
    ['', 42],
  ])('%s', (value, ms) => expect(parse(value)).toBe(ms));

  it.each([
    'yesterday',
    '2026-13-45T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:01:00Z',
    '2026-01-01T12:00:00',
    '2026-01-01',
    '-10m',
    '10 parsecs',
  ])('refuses %s', (value) => {
    expect(() => parse(value)).toThrow(/from: expected a time such as/);
  });
});
