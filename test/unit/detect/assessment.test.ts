import { describe, expect, it } from 'vitest';
import { assess } from '../../../src/detect/assessment.ts';

const pressure = { warningPercent: 60, criticalPercent: 80, emergencyPercent: 95 };
const budget = { maxBytes: 1000, warningPercent: 80, criticalPercent: 95 };

describe('assess', () => {
  it('lets the budget bind when it leaves the least room', () => {
    const verdict = assess({
      limits: [{ kind: 'host', name: 'host', limitBytes: 100_000, usageBytes: 50_000 }],
      footprintBytes: 850,
      budget,
      pressure,
      previous: 'unknown',
    });
    expect(verdict.limit.binding?.kind).toBe('budget');
    expect(verdict.pressurePercent).toBe(85);
    expect(verdict.pressure).toBe('critical');
    expect(verdict.budget).toEqual({ level: 'warning', percent: 85 });
  });

  it('is unknown without a limit, and never zero', () => {
    const verdict = assess({
      limits: [],
      footprintBytes: Number.NaN,
      budget: null,
      pressure,
      previous: 'normal',
    });
    expect(verdict.pressure).toBe('unknown');
    expect(verdict.pressurePercent).toBeNaN();
    expect(verdict.budget).toBeNull();
  });

  it('does not let an unknown footprint count as nothing used', () => {
    const verdict = assess({
      limits: [],
      footprintBytes: Number.NaN,
      budget,
      pressure,
      previous: 'normal',
    });
    expect(verdict.limit.binding).toBeNull();
    expect(verdict.budget?.level).toBe('unknown');
  });
});
