import { describe, expect, it } from 'vitest';
import { closeInOrder } from '../../../src/warden/close.ts';

const fail = (message: string) => (): never => {
  throw new Error(message);
};

describe('an orderly end', () => {
  it('takes each step when the one before has ended', async () => {
    const order: string[] = [];
    await closeInOrder([
      [
        'slow',
        () => new Promise<void>((resolve) => setImmediate(resolve)).then(() => order.push('slow')),
      ],
      ['quick', () => order.push('quick')],
    ]);
    expect(order).toEqual(['slow', 'quick']);
  });

  it('goes on after a step that fails, and then says so', async () => {
    const order: string[] = [];
    const end = closeInOrder([
      ['history', fail('disk is full')],
      ['file', () => order.push('file')],
    ]);
    await expect(end).rejects.toThrow(/^disk is full$/);
    expect(order).toEqual(['file']);
  });

  it('names each of several failures', async () => {
    const end = closeInOrder([
      ['history', fail('disk is full')],
      ['cleanups', () => Promise.reject('gone')],
    ]);
    await expect(end).rejects.toThrow('history: disk is full; cleanups: gone');
  });
});
