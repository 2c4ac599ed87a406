import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../src/policy/did-you-mean.ts';

describe('nearestName', () => {
  it.each([
    ['tresholds', 'thresholds'],
    ['inteval', 'interval'],
    ['itnerval', 'interval'],
    ['Interval', 'interval'],
    ['intervals', 'interval'],
    ['xyz', null],
    ['', null],
  ])('%s is near to %s', (word, nearest) => {
    expect(nearestName(word, ['thresholds', 'interval', 'targets'])).toBe(nearest);
  });

  it('finds a word again after one edit', () => {
    const word = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(word, fc.nat(), (name, position) => {
        const at = position % name.length;
        expect(nearestName(name.slice(0, at) + name.slice(at + 1), [name])).toBe(name);
      }),
    );
  });

  it('never compares what is too long to be a typo', () => {
    expect(nearestName('a'.repeat(1e6), ['interval'])).toBeNull();
  });
});
