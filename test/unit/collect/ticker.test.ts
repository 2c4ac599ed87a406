import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTicker } from '../../../src/collect/ticker.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('ticker', () => {
  it('beats once an interval and stops', () => {
    let beats = 0;
    const ticker = createTicker({ intervalMs: 1000, onTick: () => beats++ });
    ticker.start();
    vi.advanceTimersByTime(10_000);
    expect(beats).toBe(10);
    ticker.stop();
    vi.advanceTimersByTime(10_000);
    expect(beats).toBe(10);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may be stopped by its own beat', () => {
    let beats = 0;
    const ticker = createTicker({
      intervalMs: 1000,
      onTick: () => {
        beats++;
        ticker.stop();
      },
    });
    ticker.start();
    vi.advanceTimersByTime(5000);
    expect(beats).toBe(1);
  });

  it('takes a new interval at the next beat', () => {
    let beats = 0;
    const ticker = createTicker({ intervalMs: 1000, onTick: () => beats++ });
    ticker.start();
    ticker.setInterval(5000);
    vi.advanceTimersByTime(1000);
    expect(beats).toBe(1);
    vi.advanceTimersByTime(4000);
    expect(beats).toBe(2);
    ticker.stop();
  });
});

describe('ticker on the real clock', () => {
  it('counts the beats that a blocked loop cost it, and does not make them up', async () => {
    vi.useRealTimers();
    let beats = 0;
    await new Promise<void>((resolve) => {
      const ticker = createTicker({
        intervalMs: 20,
        onTick() {
          beats++;
          if (beats === 1) {
            const until = performance.now() + 110;
            while (performance.now() < until);
            return;
          }
          expect(ticker.overruns).toBeGreaterThanOrEqual(3);
          expect(ticker.latenessMs).toBeGreaterThan(20);
          ticker.stop();
          resolve();
        },
      });
      ticker.start();
    });
    expect(beats).toBe(2);
  });
});
