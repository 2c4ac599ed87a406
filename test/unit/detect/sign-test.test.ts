import { describe, expect, it } from 'vitest';
import { signTest } from '../../../src/detect/sign-test.ts';

/** A walk with these steps. */
function walk(...steps: number[]): Float64Array {
  let level = 0;
  return Float64Array.of(0, ...steps.map((step) => (level += step)));
}

describe('signTest', () => {
  it('is the two-sided binomial test on the steps', () => {
    expect(signTest(walk(1, 1, 1, 1, 1, 1, 1, 1, 1, 1))).toBeCloseTo(2 / 1024, 12);
    expect(signTest(walk(1, 1, 1, 1, 1, 1, 1, 1, -1, -1))).toBeCloseTo(0.109375, 12);
    expect(signTest(walk(-1, -1, -1, -1, -1))).toBeCloseTo(2 / 32, 12);
  });

  it('does not count steps that stay level, and is 1 without evidence', () => {
    expect(signTest(walk(1, 0, 0, 1, 0, 1))).toBeCloseTo(2 / 8, 12);
    expect(signTest(walk(1, -1, 1, -1))).toBe(1);
    expect(signTest(walk(0, 0))).toBe(1);
    expect(signTest(new Float64Array())).toBe(1);
  });

  it('stays a number for as many steps as it is meant for', () => {
    const p = signTest(Float64Array.from({ length: 1000 }, (_, i) => i));
    expect(p).toBeGreaterThan(0);
    expect(p).toBeLessThan(1e-290);
  });
});
