import os from 'node:os';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, clockStep, createClock } from '../../../src/collect/clock.ts';

const at = (wallMs: number, bootMs: number): { wallMs: number; bootMs: number } => ({
  wallMs,
  bootMs,
});

describe('clockStep', () => {
  it('is the step of the wall clock, whatever time has passed', () => {
    const ms = fc.integer({ min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(fc.nat({ max: 1e9 }), ms, (passedMs, setByMs) => {
        const step = clockStep(at(5, 1), at(5 + passedMs + setByMs, 1 + passedMs), 100);
        expect(step).toBe(Math.abs(setByMs) > 100 ? setByMs : 0);
      }),
    );
  });

  it('takes a suspend for no step: both clocks ran on', () => {
    expect(clockStep(at(0, 0), at(3_600_000, 3_600_000), 500)).toBe(0);
  });

  it('says 0 where the boot clock is unknown', () => {
    expect(clockStep(at(0, Number.NaN), at(9_999_999, Number.NaN), 500)).toBe(0);
  });
});

describe('createClock', () => {
  let clock: Clock | undefined;
  afterEach(() => clock?.close());

  it('reads the time since boot', () => {
    clock = createClock();
    const { wallMs, bootMs } = clock.now();
    expect(Math.abs(bootMs - os.uptime() * 1_000)).toBeLessThan(1_000);
    expect(Math.abs(wallMs - Date.now())).toBeLessThan(1_000);
  });

  it('does not know it without /proc, nor after it was closed', () => {
    clock = createClock({ procRoot: '/nonexistent' });
    expect(clock.now().bootMs).toBeNaN();
    const closed = createClock();
    closed.close();
    expect(closed.now().bootMs).toBeNaN();
  });
});
