import { describe, expect, it } from 'vitest';
import { overallStatus, worst } from '../../../src/detect/status.ts';

describe('worst', () => {
  it('is the worst known level, and unknown only when nothing is known', () => {
    expect(worst(['ok', 'critical', 'unknown', 'warning'])).toBe('critical');
    expect(worst(['warning', 'emergency'])).toBe('emergency');
    expect(worst(['unknown', 'ok'])).toBe('ok');
    expect(worst(['unknown'])).toBe('unknown');
    expect(worst([])).toBe('unknown');
  });
});

describe('overallStatus', () => {
  const calm = { firing: [], budgets: [], pressure: 'normal', sampled: true } as const;

  it('takes the worst of rules, budgets and pressure', () => {
    expect(overallStatus(calm)).toBe('ok');
    expect(overallStatus({ ...calm, firing: ['warning'] })).toBe('warning');
    expect(overallStatus({ ...calm, budgets: ['ok', 'critical'] })).toBe('critical');
    expect(overallStatus({ ...calm, firing: ['warning'], pressure: 'emergency' })).toBe(
      'emergency',
    );
  });

  it('is ok when a part is not known but sampling works', () => {
    expect(overallStatus({ ...calm, pressure: 'unknown', budgets: ['unknown'] })).toBe('ok');
  });

  it('is unknown when sampling has nothing, unless something still fires', () => {
    expect(overallStatus({ ...calm, sampled: false })).toBe('unknown');
    expect(overallStatus({ ...calm, sampled: false, firing: ['critical'] })).toBe('critical');
  });
});
