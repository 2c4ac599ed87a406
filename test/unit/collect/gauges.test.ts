import { afterEach, describe, expect, it } from 'vitest';
import { byPid, type Watch, watch } from './watch.ts';

let watching: Watch | undefined;
const begin = (...options: Parameters<typeof watch>): Watch => {
  watching = watch(...options);
  return watching;
};
afterEach(() => watching?.collector.close());

const ours = byPid('app', process.pid, false);

describe('a pushed gauge', () => {
  it('holds for 60 s and is unknown afterwards', () => {
    const { collector, tick, value, nowMs } = begin([ours]);
    collector.setGauge('app', 'sessions', 3, nowMs);
    tick(60_000);
    expect(value('app/custom.sessions')).toBe(3);
    expect(collector.read('app', nowMs).custom).toEqual({ sessions: 3 });
    tick(1);
    expect(value('app/custom.sessions')).toBeNaN();
    const { custom, unknown } = collector.read('app', nowMs + 60_001);
    expect(custom.sessions).toBeNaN();
    expect(unknown).toContainEqual({
      metric: 'custom.sessions',
      reason: 'the last push is over 60 s old',
    });
  });

  it('is a series of its target, and is forgotten with it', () => {
    const { collector, keys, nowMs } = begin([ours]);
    collector.setGauge('app', 'sessions', 3, nowMs);
    expect(collector.series('app').get('custom.sessions')).toBe(
      keys.indexOf('app/custom.sessions'),
    );
    collector.setTargets([]);
    collector.setTargets([ours]);
    expect(collector.read('app', nowMs).custom).toEqual({});
  });
});

describe('a registered gauge', () => {
  it('is asked at each tick until it is removed', () => {
    const { collector, tick, value, nowMs } = begin([ours]);
    let sessions = 1;
    const remove = collector.registerGauge('app', 'sessions', () => sessions);
    tick();
    expect(value('app/custom.sessions')).toBe(1);
    sessions = 2;
    tick();
    expect(value('app/custom.sessions')).toBe(2);
    remove();
    expect(collector.read('app', nowMs).custom).toEqual({});
  });

  it('is replaced by a later one, which survives the removal of the first', () => {
    const { collector, tick, value } = begin([ours]);
    const removeFirst = collector.registerGauge('app', 'sessions', () => 1);
    collector.registerGauge('app', 'sessions', () => 2);
    removeFirst();
    tick();
    expect(value('app/custom.sessions')).toBe(2);
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no pool');
      },
      'the gauge threw no pool',
    ],
    [
      'throws anything',
      () => {
        throw Object.create(null);
      },
      'the gauge threw object',
    ],
    ['answers text', () => '7', 'the gauge answered with string'],
    ['answers NaN', () => Number.NaN, 'the gauge answered with NaN'],
    ['answers nothing', () => undefined, 'the gauge answered with undefined'],
  ])('that %s is unknown with the reason, and harms no other', (_, read, reason) => {
    const { collector, tick, value, nowMs } = begin([ours]);
    collector.registerGauge('app', 'broken', read as () => number);
    collector.registerGauge('app', 'whole', () => 5);
    tick();
    expect(value('app/custom.broken')).toBeNaN();
    expect(value('app/custom.whole')).toBe(5);
    expect(value('app/rss_bytes')).toBeGreaterThan(0);
    expect(collector.read('app', nowMs).unknown).toContainEqual({
      metric: 'custom.broken',
      reason,
    });
  });
});

describe('a full history', () => {
  it('leaves series out and says so; a gauge is refused', () => {
    let columns = 0;
    const column = (): number => {
      if (columns >= 11) throw new RangeError('history is full');
      return columns++;
    };
    const { collector, tick, nowMs } = begin([ours], { column });
    tick();
    expect([...collector.series('app').keys()]).toEqual(['rss_bytes', 'swap_bytes']);
    const { process: reading, unknown } = collector.read('app', nowMs);
    expect(reading?.threads).toBeGreaterThan(0);
    expect(unknown).toContainEqual({ metric: 'history.threads', reason: 'history is full' });
    expect(() => collector.setGauge('app', 'sessions', 1, nowMs)).toThrow(RangeError);
    expect(() => collector.registerGauge('app', 'sessions', () => 1)).toThrow(RangeError);
  });
});
