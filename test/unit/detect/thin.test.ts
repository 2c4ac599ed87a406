import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownPoints, thin } from '../../../src/detect/thin.ts';

describe('knownPoints', () => {
  it('leaves out what is not finite, and copies nothing when all is known', () => {
    const known = knownPoints({
      t: Float64Array.of(1, 2, 3, 4),
      v: Float64Array.of(7, NaN, 9, Infinity),
    });
    expect([[...known.t], [...known.v]]).toEqual([
      [1, 3],
      [7, 9],
    ]);
    const v = Float64Array.of(1, 2);
    expect(knownPoints({ t: v, v }).v).toBe(v);
  });
});

describe('thin', () => {
  it('takes the median and the mean time of equal stretches of time', () => {
    const t = Float64Array.of(0, 1, 2, 3, 50, 99, 100);
    const v = Float64Array.of(1, 9, 2, 3, 7, 4, 5);
    const { t: times, v: values } = thin({ t, v }, 4);
    expect([...times]).toEqual([1.5, 50, 99.5]);
    expect([...values]).toEqual([2.5, 7, 4.5]);
  });

  it('gives points in order, within the range, and never more than the limit', () => {
    const gaps = fc.array(fc.nat({ max: 1e6 }), { minLength: 1, maxLength: 500 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 50 }), (steps, limit) => {
        let time = 1.8e12;
        const t = Float64Array.from(steps, (step) => (time += step));
        const v = Float64Array.from(steps);
        const thinned = thin({ t, v }, limit);
        expect(thinned.t.length).toBe(thinned.v.length);
        expect(thinned.t.length).toBeLessThanOrEqual(Math.max(limit, Math.min(limit, t.length)));
        expect(thinned.t.length).toBeGreaterThan(0);
        expect([...thinned.t]).toEqual([...thinned.t].sort((a, b) => a - b));
        expect(Math.min(...thinned.v)).toBeGreaterThanOrEqual(Math.min(...v));
        expect(Math.max(...thinned.v)).toBeLessThanOrEqual(Math.max(...v));
      }),
    );
  });
});
