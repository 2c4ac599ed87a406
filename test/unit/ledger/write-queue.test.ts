import { describe, expect, it } from 'vitest';
import { createWriteQueue } from '../../../src/ledger/write-queue.ts';

function queue(bound = 10, first?: () => void) {
  const told: (string | null)[] = [];
  const writes = createWriteQueue({ bound, first, onChange: (problem) => told.push(problem) });
  return { told, writes };
}

describe('write queue', () => {
  it('writes in order', () => {
    const { writes } = queue();
    const done: number[] = [];
    for (let i = 0; i < 3; i++) writes.push(() => done.push(i));
    writes.drain();
    expect(done).toEqual([0, 1, 2]);
    expect(writes.length).toBe(0);
  });

  it('keeps what failed and everything behind it, and tells once', () => {
    const { told, writes } = queue();
    const done: string[] = [];
    let full = true;
    writes.push(() => {
      if (full) throw new Error('disk full');
      done.push('first');
    });
    writes.push(() => done.push('second'));
    writes.drain();
    writes.drain();
    expect(done).toEqual([]);
    expect(writes.problem).toBe('disk full');
    full = false;
    writes.drain();
    expect(done).toEqual(['first', 'second']);
    expect(writes.problem).toBeNull();
    expect(told).toEqual(['disk full', null]);
  });

  it('has what comes first done before any write, however many are given up', () => {
    const done: string[] = [];
    let full = true;
    const { told, writes } = queue(2, () => {
      if (full) throw new Error('disk full');
      done.push('first');
    });
    for (let i = 0; i < 5; i++) {
      writes.push(() => done.push(`write ${i}`));
      writes.drain();
    }
    expect([done, writes.length]).toEqual([[], 2]);
    full = false;
    writes.drain();
    expect(done).toEqual(['first', 'write 3', 'write 4']);
    expect(told).toEqual(['disk full', null]);
  });

  it('gives up the oldest past its bound, and counts it', () => {
    const { writes } = queue(2);
    const done: number[] = [];
    for (let i = 0; i < 5; i++) writes.push(() => done.push(i));
    expect(writes.dropped).toBe(3);
    writes.drain();
    expect(done).toEqual([3, 4]);
  });
});
