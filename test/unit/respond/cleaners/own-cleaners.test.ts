import { describe, expect, it } from 'vitest';
import { createDropCachesCleaner } from '../../../../src/respond/cleaners/drop-caches.ts';
import { createGcCleaner } from '../../../../src/respond/cleaners/gc.ts';

const { signal } = new AbortController();
const REQUEST = { level: 'emergency', reason: 'test' } as const;

describe('gc', () => {
  it('collects what nothing holds any more, time after time', async () => {
    const cleaner = createGcCleaner({ level: 'aggressive' });
    for (let i = 0; i < 2; i++) {
      const garbage = new WeakRef({ some: 'object' });
      await new Promise(setImmediate);
      expect(garbage.deref()).toBeDefined();
      // A WeakRef holds its target until the turn in which it was read has ended.
      await new Promise(setImmediate);
      await cleaner.run(signal, REQUEST);
      expect(garbage.deref()).toBeUndefined();
    }
  });

  it('runs after cleaners of the usual order', () => {
    expect(createGcCleaner({ level: 'gentle' })).toMatchObject({ target: 'self', order: 900 });
  });
});

describe('drop-caches', () => {
  const drops = (...entries: [string, () => number | undefined][]) =>
    createDropCachesCleaner({ level: 'gentle', drops: new Map(entries) });

  it('empties every cache and counts what they held', async () => {
    const dropped: string[] = [];
    const cleaner = drops(['a', () => dropped.push('a', 'b')], ['b', () => undefined]);
    expect(cleaner.plan()).toBe('empty a, b');
    expect(dropped).toEqual([]);
    expect(await cleaner.run(signal, REQUEST)).toEqual({ items: 2 });
  });

  it('empties the others when one fails, and then says which did', async () => {
    let emptied = 0;
    const cleaner = drops(
      [
        'bad',
        () => {
          throw new Error('broken');
        },
      ],
      ['good', () => ++emptied],
      [
        'worse',
        () => {
          throw 'text';
        },
      ],
    );
    expect(() => cleaner.run(signal, REQUEST)).toThrow('bad: broken; worse: text');
    expect(emptied).toBe(1);
  });

  it('may have nothing to do', async () => {
    expect(drops().plan()).toBe('empty no caches');
    expect(await drops().run(signal, REQUEST)).toEqual({ items: 0 });
  });
});
