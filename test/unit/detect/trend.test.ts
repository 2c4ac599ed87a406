import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Trend, trend } from '../../../src/detect/trend.ts';
import { noise } from './noise.ts';

const MB = 1e6;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const EPOCH_MS = 1.8e12;

/** Minutes on a wall clock. */
function minutes(points: number): Float64Array {
  return Float64Array.from({ length: points }, (_, i) => EPOCH_MS + i * MINUTE_MS);
}

/** The trend of a curve over two hours; `x` goes from 0 to 1. */
function trendOf(curve: (x: number, i: number) => number, points = 120): Trend {
  const v = Float64Array.from({ length: points }, (_, i) => curve(i / (points - 1), i));
  return trend(minutes(points), v);
}

/** The share of 500 seeded runs for which `accept` holds. */
function share(
  run: { points: number; phi: number; curve?: (x: number) => number },
  accept: (result: Trend) => boolean,
): number {
  const { points, phi, curve = () => 0 } = run;
  let accepted = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const wobble = noise({ seed, points, phi });
    const result = trendOf((x, i) => 500 * MB + 10 * MB * (wobble[i] ?? NaN) + curve(x), points);
    if (accept(result)) accepted++;
  }
  return accepted / 500;
}

const moves = ({ direction }: Trend) => direction !== 'stable';

describe('the direction', () => {
  it('of a line is the line', () => {
    const rising = trendOf((_, i) => 100 * MB + i * MB);
    expect(rising).toMatchObject({ direction: 'increasing', points: 120, reason: null });
    expect(rising.slopeBytesPerHour).toBeCloseTo(60 * MB, 0);
    expect(rising.lowBytesPerHour).toBeCloseTo(60 * MB, 0);
    expect(rising.highBytesPerHour).toBeCloseTo(60 * MB, 0);
    expect(rising.pValue).toBeLessThan(1e-6);
    expect(rising.spanMs).toBe(119 * MINUTE_MS);

    const falling = trendOf((_, i) => 500 * MB - i * MB);
    expect(falling.direction).toBe('decreasing');
    expect(falling.slopeBytesPerHour).toBeCloseTo(-60 * MB, 0);
  });

  it('of a constant is stable', () => {
    expect(trendOf(() => 5 * MB)).toMatchObject({
      direction: 'stable',
      slopeBytesPerHour: 0,
      lowBytesPerHour: 0,
      highBytesPerHour: 0,
      pValue: 1,
    });
  });

  it.each([
    ['accelerates', (x: number) => x ** 2],
    ['explodes', (x: number) => Math.expm1(6 * x) / Math.expm1(6)],
    ['levels off', (x: number) => -Math.expm1(-6 * x)],
    ['climbs in stairs', (x: number) => Math.floor(x * 15) / 15],
  ])('of growth that %s is increasing', (_, curve) => {
    expect(trendOf((x) => 100 * MB + 50 * MB * curve(x)).direction).toBe('increasing');
  });

  it('of one step, or one spike, is stable', () => {
    expect(trendOf((x) => (x < 0.5 ? 100 * MB : 300 * MB)).direction).toBe('stable');
    expect(trendOf((x) => (x < 0.99 ? 100 * MB : 900 * MB)).direction).toBe('stable');
  });

  it('of a garbage collection sawtooth is that of its floor', () => {
    const sawtooth = (i: number) => 200 * MB + ((i * 37) % 100) * MB;
    expect(trendOf((_, i) => sawtooth(i), 3600).direction).toBe('stable');
    const leaking = trendOf((x, i) => sawtooth(i) + 80 * MB * x, 3600);
    expect(leaking.direction).toBe('increasing');
    expect((leaking.slopeBytesPerHour * leaking.spanMs) / HOUR_MS / MB).toBeCloseTo(80, -1);
  });

  it('of what moves less than the dead band is stable, until the span is long enough', () => {
    const leak = (points: number) => trendOf((_, i) => 50 * MB + i * 5000, points);
    expect(leak(120)).toMatchObject({ direction: 'stable' });
    expect(leak(120).pValue).toBeLessThan(0.01);
    expect(leak(480).direction).toBe('increasing');

    const big = (changeMb: number) => trendOf((x) => 1000 * MB + changeMb * MB * x).direction;
    expect(big(9)).toBe('stable');
    expect(big(12)).toBe('increasing');
  });
});

describe('an unknown direction', () => {
  const figures = { slopeBytesPerHour: NaN, pValue: NaN, direction: 'unknown' };

  it('says what is missing', () => {
    expect(trend(new Float64Array(), new Float64Array())).toMatchObject({
      ...figures,
      points: 0,
      spanMs: 0,
      reason: '0 known points, at least 20 are needed',
    });
    expect(trendOf((_, i) => (i % 10 === 0 ? i * MB : NaN), 190)).toMatchObject({
      ...figures,
      points: 19,
      spanMs: 180 * MINUTE_MS,
      reason: '19 known points, at least 20 are needed',
    });
    const seconds = Float64Array.from({ length: 300 }, (_, i) => i * 1000);
    expect(trend(seconds, seconds)).toMatchObject({
      ...figures,
      reason: '4 min 59 s of history, at least 5 min are needed',
    });
  });

  it('is that of points at one time, and of values that are not finite', () => {
    expect(trend(new Float64Array(50), new Float64Array(50))).toMatchObject(figures);
    expect(trendOf(() => Infinity)).toMatchObject({ ...figures, points: 0 });
  });

  it('is not what two columns of different length get', () => {
    expect(() => trend(minutes(3), minutes(4))).toThrow(RangeError);
  });
});

describe('any series', () => {
  const steps = fc.array(fc.integer({ min: 2 * MB, max: 100 * MB }), {
    minLength: 20,
    maxLength: 300,
  });
  const climb = (increments: number[]) => {
    let level = 0;
    return Float64Array.from(increments, (increment) => {
      level += increment;
      return level;
    });
  };

  it('that only rises is increasing, and its mirror image is decreasing', () => {
    fc.assert(
      fc.property(steps, (increments) => {
        const v = climb(increments);
        const up = trend(minutes(v.length), v);
        const down = trend(minutes(v.length), v.toReversed());
        expect([up.direction, down.direction]).toEqual(['increasing', 'decreasing']);
        expect(up.lowBytesPerHour).toBeLessThanOrEqual(up.slopeBytesPerHour);
        expect(up.highBytesPerHour).toBeGreaterThanOrEqual(up.slopeBytesPerHour);
      }),
    );
  });

  it('scales with its values and stretches with its times', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 2, max: 1000 }), (increments, factor) => {
        const t = minutes(increments.length);
        const v = climb(increments);
        const plain = trend(t, v);
        const scaled = trend(
          t.map((time) => EPOCH_MS + (time - EPOCH_MS) * 4),
          v.map((value) => value * factor),
        );
        const ratio = scaled.slopeBytesPerHour / plain.slopeBytesPerHour;
        expect(ratio).toBeCloseTo(factor / 4, 6);
        expect(scaled.direction).toBe(plain.direction);
      }),
    );
  });

  it('is not changed by unknown values in between', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat({ max: 400 })), (increments, holes) => {
        const t = minutes(increments.length);
        const v = climb(increments);
        const entries = [...t].map((time, i) => ({ time, value: v[i] ?? NaN }));
        for (const at of holes) {
          const before = entries[at];
          if (before) entries.splice(at, 0, { time: before.time, value: NaN });
        }
        const holed = trend(
          Float64Array.from(entries, ({ time }) => time),
          Float64Array.from(entries, ({ value }) => value),
        );
        expect(holed).toEqual(trend(t, v));
      }),
    );
  });

  it('is left as it was', () => {
    const v = noise({ seed: 1, points: 1000, phi: 0 });
    const copy = v.slice();
    trend(minutes(1000), v);
    expect(v).toEqual(copy);
  });
});

describe('chance', () => {
  it.each([
    { phi: 0, points: 30, atMost: 0.01 },
    { phi: 0, points: 120, atMost: 0.01 },
    { phi: 0.5, points: 120, atMost: 0.02 },
    { phi: 0.7, points: 120, atMost: 0.02 },
    { phi: 0.9, points: 120, atMost: 0.03 },
    { phi: 0.95, points: 120, atMost: 0.05 },
    { phi: 0.9, points: 1200, atMost: 0.02 },
    { phi: 0.99, points: 1200, atMost: 0.05 },
  ])('takes noise of correlation $phi for a trend in at most $atMost of cases', (run) => {
    expect(share(run, moves)).toBeLessThanOrEqual(run.atMost);
  });

  it.each([
    { phi: 0, points: 120, growthMb: 30 },
    { phi: 0.7, points: 120, growthMb: 60 },
    { phi: 0.9, points: 1200, growthMb: 60 },
  ])('finds $growthMb MB of growth in noise of 10 MB and correlation $phi', (run) => {
    const curve = (x: number) => run.growthMb * MB * x;
    const found = share({ ...run, curve }, ({ direction }) => direction === 'increasing');
    expect(found).toBeGreaterThanOrEqual(0.95);
  });

  it.each([0, 0.5, 0.9])('mostly keeps the true slope in the interval at correlation %d', (phi) => {
    const truth = (60 * MB * HOUR_MS) / (119 * MINUTE_MS);
    const covered = share(
      { points: 120, phi, curve: (x) => 60 * MB * x },
      (result) => result.lowBytesPerHour <= truth && truth <= result.highBytesPerHour,
    );
    expect(covered).toBeGreaterThanOrEqual(0.92);
  });
});
