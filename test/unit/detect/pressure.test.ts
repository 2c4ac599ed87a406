import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PressureLevel, pressureLevel } from '../../../src/detect/pressure.ts';

const policy = { warningPercent: 60, criticalPercent: 80, emergencyPercent: 95 };
const levels: PressureLevel[] = ['unknown', 'normal', 'warning', 'critical', 'emergency'];

describe('pressureLevel', () => {
  it.each([
    [0, 'normal'],
    [59.9, 'normal'],
    [60, 'warning'],
    [79.9, 'warning'],
    [80, 'critical'],
    [94.9, 'critical'],
    [95, 'emergency'],
    [140, 'emergency'],
    [NaN, 'unknown'],
  ] as const)('rises to its level at once: %d is %s', (percent, level) => {
    expect(pressureLevel(percent, policy, 'unknown')).toBe(level);
    expect(pressureLevel(percent, policy, 'normal')).toBe(level);
  });

  it.each([
    [93, 'emergency', 'emergency'],
    [92.9, 'emergency', 'critical'],
    [78, 'emergency', 'critical'],
    [78, 'critical', 'critical'],
    [77.9, 'critical', 'warning'],
    [58, 'warning', 'warning'],
    [57.9, 'warning', 'normal'],
    [10, 'emergency', 'normal'],
    [79, 'warning', 'warning'],
    [NaN, 'emergency', 'unknown'],
  ] as const)('falls two points later: %d after %s is %s', (percent, previous, level) => {
    expect(pressureLevel(percent, policy, previous)).toBe(level);
  });

  it('does not flap within two points', () => {
    const around = fc.double({ min: 79, max: 80.9, noNaN: true });
    fc.assert(
      fc.property(fc.array(around, { minLength: 2 }), (percents) => {
        let level: PressureLevel = 'unknown';
        let changes = -1;
        for (const percent of percents) {
          const next = pressureLevel(percent, policy, level);
          if (next !== level) changes++;
          level = next;
        }
        expect(changes).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('never falls when the percentage rises', () => {
    const percent = fc.double({ min: 0, max: 120, noNaN: true });
    fc.assert(
      fc.property(percent, percent, fc.constantFrom(...levels), (a, b, previous) => {
        const low = pressureLevel(Math.min(a, b), policy, previous);
        const high = pressureLevel(Math.max(a, b), policy, previous);
        expect(levels.indexOf(high)).toBeGreaterThanOrEqual(levels.indexOf(low));
      }),
    );
  });
});
