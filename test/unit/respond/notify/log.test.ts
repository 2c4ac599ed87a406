import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPARISONS } from '../../../../src/policy/policy.ts';
import { type AlertFacts, alertMessage } from '../../../../src/respond/notify/channel.ts';
import { createLogChannel } from '../../../../src/respond/notify/log.ts';
import { createKeptLog } from '../a-cleanup.ts';

const facts = (over: Partial<AlertFacts> = {}): AlertFacts => ({
  event: 'fired',
  rule: 'High Process Memory',
  target: 'api',
  severity: 'critical',
  metricKey: 'process_memory_mb',
  comparison: 'greater_than',
  threshold: 1024,
  unit: 'MiB',
  value: 1210.257,
  peak: 1300,
  windowMs: 600_000,
  sinceMs: Date.UTC(2026, 0, 1),
  nowMs: Date.UTC(2026, 0, 1, 0, 5),
  ...over,
});
const text = (over: Partial<AlertFacts>): string => alertMessage(facts(over)).text;

describe('alertMessage', () => {
  it('says what, where, how bad and since when', () => {
    expect(text({})).toBe(
      'critical: High Process Memory on api: process_memory_mb is 1210 MiB, above 1024 MiB (worst 1300 MiB), for 5 min, since 2026-01-01T00:00:00.000Z',
    );
  });

  it.each([
    [{ event: 'reminded' }, /^still critical: /],
    [
      { event: 'resolved', value: 900 },
      /^resolved: .* is 900 MiB again \(the threshold is above 1024 MiB, worst 1300 MiB\), after 5 min,/,
    ],
    [{ sinceMs: Date.UTC(2026, 0, 1, 0, 5) }, /\(worst 1300 MiB\), since 2026-01-01T00:05/],
    [
      { comparison: 'percent_change', threshold: 20, value: 31.5, peak: null },
      /process_memory_mb changed by 31\.5 % in 10 min, more than 20 %/,
    ],
    [
      { comparison: 'rate_per_hour', threshold: 20, value: 31.5, peak: null },
      /31\.5 MiB\/h in 10 min, more than 20 MiB\/h/,
    ],
    [{ comparison: 'absent', value: null }, /process_memory_mb is missing/],
    [{ value: null }, /process_memory_mb is unknown, above 1024 MiB/],
    [
      { unit: '', metricKey: 'sessions', value: 3, peak: 3, threshold: 2 },
      /sessions is 3, above 2,/,
    ],
  ] as [Partial<AlertFacts>, RegExp][])('puts %j into words', (over, expected) => {
    expect(text(over)).toMatch(expected);
  });

  it('is one line without a raw NaN or null, whatever is known', () => {
    const number = fc.option(fc.double());
    const any = fc.record({
      value: number,
      peak: number,
      comparison: fc.constantFrom(...COMPARISONS),
      sinceMs: fc.nat(),
      nowMs: fc.nat(),
    });
    fc.assert(
      fc.property(any, (over) => {
        expect(text(over)).not.toMatch(/NaN|null|undefined|\n/);
      }),
    );
  });
});

describe('log channel', () => {
  it('writes at the level of the severity, a resolve as info', async () => {
    const log = createKeptLog();
    const channel = createLogChannel(log);
    const { signal } = new AbortController();
    for (const over of [{ severity: 'warning' }, {}, { event: 'resolved' }] as const) {
      await channel.send(alertMessage(facts(over)), signal);
    }
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'error', 'info']);
    expect(log.lines[0]).toMatchObject({
      message: expect.stringContaining('High Process Memory on api'),
      fields: { alert: { rule: 'High Process Memory', value: 1210.257 } },
    });
  });
});
