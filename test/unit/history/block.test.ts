import { describe, expect, it } from 'vitest';
import { allocateBlock, asBlock } from '../../../src/history/block.ts';

const LARGE = 400_000;
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, n) => n % 251);

describe('a block', () => {
  it.each([0, 8, 65_535, 65_536, LARGE])('of %d bytes is zeros, whole and aligned', (bytes) => {
    const block = allocateBlock(bytes);
    expect([block.length, block.byteOffset, block.buffer.byteLength]).toEqual([bytes, 0, bytes]);
    expect(block.every((byte) => byte === 0)).toBe(true);
  });

  it('is mapped on its own when it is large, so that it goes back to the system', () => {
    expect(allocateBlock(1_000).buffer.resizable).toBe(false);
    expect(allocateBlock(LARGE).buffer.resizable).toBe(true);
  });

  it('takes the memory of small bytes that are aligned, and copies all others', () => {
    const small = bytesOf(1_000);
    expect(asBlock(small)).toBe(small);
    for (const given of [small.subarray(1), bytesOf(LARGE)]) {
      const block = asBlock(given);
      expect(Buffer.from(block).equals(given)).toBe(true);
      expect(block.buffer).not.toBe(given.buffer);
      expect(block.byteOffset).toBe(0);
    }
  });
});
