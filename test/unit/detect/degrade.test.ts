import { describe, expect, it } from 'vitest';
import { NOT_DEGRADED, stepDegradation } from '../../../src/detect/degrade.ts';

const budget = { cpuPercent: 2, rssBytes: 100 };
const calm = { cpuPercent: 0.2, rssBytes: 50 };
const dear = { cpuPercent: 5, rssBytes: 50 };

describe('degradation', () => {
  it('yields at once and says why', () => {
    const state = stepDegradation(NOT_DEGRADED, dear, budget);
    expect(state.level).toBe(1);
    expect(state.reason).toBe(
      'own CPU 5.00 % is over the budget of 2 %: sampling every 2 intervals',
    );
  });

  it('halves history when memory is over, and goes on sampling at full rate', () => {
    const large = { cpuPercent: 0, rssBytes: 200 * 2 ** 20 };
    const most = { cpuPercent: 2, rssBytes: 100 * 2 ** 20 };
    let state = stepDegradation(NOT_DEGRADED, large, most);
    expect(state).toMatchObject({ level: 0, halvings: 1 });
    expect(state.reason).toBe(
      'own memory 200 MiB is over the budget of 100 MiB: history was halved',
    );
    for (let i = 0; i < 10; i++) state = stepDegradation(state, large, most);
    expect(state.halvings).toBe(1);
  });

  it('stops at the last level', () => {
    let state = NOT_DEGRADED;
    for (let i = 0; i < 10; i++) state = stepDegradation(state, dear, budget);
    expect(state.level).toBe(3);
  });

  it('returns one level after four calm windows in a row, and forgets the reason at 0', () => {
    let state = stepDegradation(NOT_DEGRADED, dear, budget);
    for (let i = 0; i < 3; i++) state = stepDegradation(state, calm, budget);
    expect(state.level).toBe(1);
    state = stepDegradation(state, { cpuPercent: 1.5, rssBytes: 50 }, budget);
    expect(state.calmWindows).toBe(0);
    for (let i = 0; i < 4; i++) state = stepDegradation(state, calm, budget);
    expect(state).toEqual({ level: 0, halvings: 0, calmWindows: 0, reason: null });
  });

  it('does nothing while its cost is unknown', () => {
    const unknown = { cpuPercent: Number.NaN, rssBytes: Number.NaN };
    expect(stepDegradation(NOT_DEGRADED, unknown, budget)).toBe(NOT_DEGRADED);
  });
});
