import { describe, expect, it } from 'vitest';
import { judgeBudget } from '../../../src/detect/budget.ts';

const budget = { maxBytes: 1000, warningPercent: 80, criticalPercent: 95 };

describe('judgeBudget', () => {
  it.each([
    [0, 'ok', 0],
    [799, 'ok', 79.9],
    [800, 'warning', 80],
    [949, 'warning', 94.9],
    [950, 'critical', 95],
    [3000, 'critical', 300],
    [NaN, 'unknown', NaN],
  ])('%d of 1000 bytes is %s', (usageBytes, level, percent) => {
    expect(judgeBudget(budget, usageBytes)).toEqual({ level, percent });
  });
});
