import { describe, expect, it } from 'vitest';
import { createGcEffectiveness } from '../../../src/collect/gc-effectiveness.ts';

const percentAfter = (...collections: [before: number, after: number][]): number => {
  const effectiveness = createGcEffectiveness();
  for (const [usedBeforeBytes, usedAfterBytes] of collections) {
    effectiveness.add({ usedBeforeBytes, usedAfterBytes });
  }
  return effectiveness.percent;
};

describe('createGcEffectiveness', () => {
  it('is unknown until two collections', () => {
    expect(percentAfter()).toBeNaN();
    expect(percentAfter([100, 50])).toBeNaN();
  });

  it('is the share of the growth that was given back', () => {
    expect(percentAfter([0, 50], [150, 50])).toBe(100);
    expect(percentAfter([0, 50], [150, 150])).toBe(0);
    expect(percentAfter([0, 50], [150, 75])).toBe(75);
  });

  it('weighs by growth, and stays within 0 and 100', () => {
    expect(percentAfter([0, 50], [150, 50], [60, 60])).toBeCloseTo(90.9, 1);
    expect(percentAfter([0, 50], [60, 10])).toBe(100);
    expect(percentAfter([0, 50], [60, 70])).toBe(0);
  });

  it('forgets what was long ago', () => {
    const leak: [number, number][] = [
      [0, 50],
      [150, 150],
      [250, 250],
    ];
    const healthy = Array.from({ length: 5 }, (): [number, number] => [400, 250]);
    expect(percentAfter(...leak, ...healthy)).toBe(100);
  });

  it('is unknown while nothing grows', () => {
    expect(percentAfter([100, 50], [50, 40], [40, 40])).toBeNaN();
  });
});
