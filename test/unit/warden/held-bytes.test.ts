import { describe, expect, it } from 'vitest';
import type { ProcessReading, Reading } from '../../../src/collect/reading.ts';
import { heldBytes } from '../../../src/warden/cleaners.ts';

const holding = (process: Partial<ProcessReading> | null) => heldBytes({ process } as Reading);

describe('what a process holds', () => {
  it('is in RAM and in swap', () => {
    expect(holding({ rssBytes: 100, swapBytes: 20 })).toBe(120);
  });

  it('is what is in RAM where swap cannot be read', () => {
    expect(holding({ rssBytes: 100, swapBytes: Number.NaN })).toBe(100);
  });

  it('is unknown of a process that is not there, or cannot be read', () => {
    expect(holding(null)).toBeNaN();
    expect(holding({ rssBytes: Number.NaN, swapBytes: 20 })).toBeNaN();
  });
});
