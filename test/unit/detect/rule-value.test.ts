import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveMetricKey } from '../../../src/detect/metric-key.ts';
import { ruleValue, type Window } from '../../../src/detect/rule-value.ts';
import { aRule } from './a-rule.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_000 * MINUTE_MS;
const gauge = resolveMetricKey('sessions', { systemTotalBytes: NaN, heapLimitBytes: NaN });
const megabytes = resolveMetricKey('process_memory_mb', {
  systemTotalBytes: NaN,
  heapLimitBytes: NaN,
});

interface Sample {
  atMs: number;
  value: number;
}

/** History over plain samples, oldest first. */
function windowOver(samples: Sample[]): Window {
  const known = samples.filter(({ value }) => !Number.isNaN(value));
  return {
    latest: samples.at(-1)?.value ?? NaN,
    firstMs: samples[0]?.atMs ?? NaN,
    medianAround(atMs, widthMs) {
      const near = known.filter((sample) => Math.abs(sample.atMs - atMs) <= widthMs / 2);
      const sorted = near.map(({ value }) => value).sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      const below = sorted[sorted.length % 2 === 1 ? middle : middle - 1] ?? NaN;
      return (below + (sorted[middle] ?? NaN)) / 2;
    },
    at(atMs, maxAgeMs) {
      const last = known.findLast((sample) => sample.atMs <= atMs);
      return last !== undefined && atMs - last.atMs <= maxAgeMs ? last.value : NaN;
    },
  };
}

/** A sample every second for `minutes` up to now, of what `valueAt` says for minutes before now. */
function history(minutes: number, valueAt: (minutesAgo: number) => number): Window {
  const samples = Array.from({ length: minutes * 60 + 1 }, (_, i) => {
    const atMs = NOW_MS - minutes * MINUTE_MS + i * 1000;
    return { atMs, value: valueAt((NOW_MS - atMs) / MINUTE_MS) };
  });
  return windowOver(samples);
}

describe('the latest value', () => {
  it.each(['greater_than', 'less_than', 'absent'] as const)('is what %s compares', (comparison) => {
    const rule = aRule({ comparison });
    expect(ruleValue(rule, megabytes, windowOver([{ atMs: 0, value: 2 ** 30 }]), NOW_MS)).toBe(
      1024,
    );
    expect(ruleValue(rule, megabytes, windowOver([{ atMs: 0, value: NaN }]), NOW_MS)).toBeNaN();
  });
});

describe('percent_change', () => {
  const rule = aRule({ comparison: 'percent_change', windowMs: 10 * MINUTE_MS });

  it('compares the last minute with the minute ten minutes earlier', () => {
    const grown = history(11, (ago) => (ago < 5 ? 125 : 100));
    expect(ruleValue(rule, gauge, grown, NOW_MS)).toBe(25);
    const shrunk = history(11, (ago) => (ago < 5 ? 50 : 100));
    expect(ruleValue(rule, gauge, shrunk, NOW_MS)).toBe(-50);
  });

  it('is unknown until the window is full', () => {
    expect(
      ruleValue(
        rule,
        gauge,
        history(10, () => 100),
        NOW_MS,
      ),
    ).toBeNaN();
    expect(
      ruleValue(
        rule,
        gauge,
        history(11, () => 100),
        NOW_MS,
      ),
    ).toBe(0);
    expect(ruleValue(rule, gauge, windowOver([]), NOW_MS)).toBeNaN();
  });

  it('is unknown until this series fills the window, however old the target is', () => {
    const young = history(11, (ago) => (ago > 10.5 ? NaN : 100));
    expect(ruleValue(rule, gauge, young, NOW_MS)).toBeNaN();
  });

  it('does not compare with what was before the target restarted', () => {
    const restarted = { ...history(20, () => 100), firstMs: NOW_MS - 5 * MINUTE_MS };
    expect(ruleValue(rule, gauge, restarted, NOW_MS)).toBeNaN();
  });

  it('does not see a spike, nor a burst of samples', () => {
    const spiked = history(11, (ago) => (ago < 0.3 || (ago > 10 && ago < 10.3) ? 9999 : 100));
    expect(ruleValue(rule, gauge, spiked, NOW_MS)).toBe(0);
    const burst = Array.from({ length: 1000 }, (_, i) => ({ atMs: NOW_MS - 1000 + i, value: 200 }));
    const old = [NOW_MS - 11 * MINUTE_MS, NOW_MS - 10.5 * MINUTE_MS];
    const sparse = [...old.map((atMs) => ({ atMs, value: 100 })), ...burst];
    expect(ruleValue(rule, gauge, windowOver(sparse), NOW_MS)).toBe(100);
  });

  it('is unknown when a minute is empty or the base is not above 0', () => {
    const silent = history(11, (ago) => (ago <= 1 ? NaN : 100));
    expect(ruleValue(rule, gauge, silent, NOW_MS)).toBeNaN();
    expect(
      ruleValue(
        rule,
        gauge,
        history(11, (ago) => (ago < 5 ? 9 : 0)),
        NOW_MS,
      ),
    ).toBeNaN();
    expect(
      ruleValue(
        rule,
        gauge,
        history(11, (ago) => (ago < 5 ? 9 : -1)),
        NOW_MS,
      ),
    ).toBeNaN();
  });

  it('does not depend on the unit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (a, b) => {
          const grown = history(11, (ago) => (ago < 5 ? b : a));
          const inBytes = ruleValue(rule, gauge, grown, NOW_MS);
          expect(inBytes).toBeCloseTo(((b - a) * 100) / a, 6);
          expect(ruleValue(rule, megabytes, grown, NOW_MS)).toBeCloseTo(inBytes, 6);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('rate_per_hour', () => {
  it('is the difference of the two medians per hour, in the unit of the metric', () => {
    const rule = aRule({ comparison: 'rate_per_hour', windowMs: 30 * MINUTE_MS });
    const rising = history(31, (ago) => (1000 - ago) * 2 ** 20);
    expect(ruleValue(rule, megabytes, rising, NOW_MS)).toBeCloseTo(60, 9);
    const fromZero = history(31, (ago) => (ago < 15 ? 10 : 0));
    expect(ruleValue(rule, gauge, fromZero, NOW_MS)).toBe(20);
  });

  it('works with a window below a minute, and is unknown without one', () => {
    const rising = history(1, (ago) => -ago * 60);
    const short = aRule({ comparison: 'rate_per_hour', windowMs: 20_000 });
    expect(ruleValue(short, gauge, rising, NOW_MS)).toBeCloseTo(3600, 9);
    const none = aRule({ comparison: 'rate_per_hour', windowMs: 0 });
    expect(ruleValue(none, gauge, rising, NOW_MS)).toBeNaN();
  });
});
