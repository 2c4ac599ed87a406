import { describe, expect, it } from 'vitest';
import { createSelfCost } from '../../../src/collect/self-cost.ts';

describe('self cost', () => {
  it('knows nothing before the first window ends', () => {
    const cost = createSelfCost(30_000);
    expect(cost.add(1, 0)).toBe(false);
    expect(cost.cpuPercent).toBeNaN();
    expect(cost.samplingPercent).toBeNaN();
    expect(cost.rssBytes).toBeGreaterThan(2 ** 20);
  });

  it('gives the share of the window that ticks took', () => {
    const cost = createSelfCost(30_000);
    for (let second = 0; second < 30; second++) expect(cost.add(2, second * 1000)).toBe(false);
    expect(cost.add(2, 30_000)).toBe(true);
    expect(cost.samplingPercent).toBeCloseTo((31 * 2) / 300, 5);
    expect(cost.samples).toBe(31);
    expect(cost.lastTickMs).toBe(2);
  });

  it('measures the CPU that this process used meanwhile', () => {
    const cost = createSelfCost(1000);
    cost.add(0, 0);
    const until = performance.now() + 60;
    while (performance.now() < until);
    cost.add(0, 1000);
    expect(cost.cpuPercent).toBeGreaterThan(2);
  });
});
