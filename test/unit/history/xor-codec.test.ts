import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrame, type Frame } from '../../../src/history/frame.ts';
import { decodeValues, encodeValues, maxEncodedBytes } from '../../../src/history/xor-codec.ts';

const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 0x8000_0000, 0x7ff0_0000, 0x7ff8_0000, 0xfff0_0001, 0xffff_ffff),
);
const noise = fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 80, size: 'max' });
const gauge = fc
  .array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200, size: 'max' })
  .map((steps) => {
    let pages = 20_000;
    return Float64Array.from(steps, (step) => {
      pages += step;
      return pages * 4096;
    });
  });

function frameOf(words: readonly (readonly [number, number])[]): Frame {
  const frame = createFrame(words.length);
  frame.words.set(words.flat());
  return frame;
}

/** Encodes at `base` in a buffer full of ones, decodes at `at`; the words that come back. */
function roundTrip(frame: Frame, base: number, at: number): Uint32Array {
  const rows = frame.values.length;
  const bytes = new Uint8Array(base + maxEncodedBytes(rows)).fill(0xff);
  const length = encodeValues(frame.words, rows, bytes, base);
  expect(base + length).toBeLessThanOrEqual(bytes.length);
  bytes.fill(0xff, base + length);
  const out = createFrame(at + rows);
  decodeValues(bytes, base, rows, out.words, at);
  return out.words.slice(2 * at);
}

describe('xor codec', () => {
  it('gives every bit pattern back, wherever it lies in a dirty buffer', () => {
    fc.assert(
      fc.property(noise, fc.nat(40), fc.nat(5), (words, base, at) => {
        const frame = frameOf(words);
        expect(roundTrip(frame, base, at)).toEqual(frame.words);
      }),
      { numRuns: 500 },
    );
  });

  it('gives gauges back', () => {
    fc.assert(
      fc.property(gauge, (values) => {
        const frame = createFrame(values.length);
        frame.values.set(values);
        expect(roundTrip(frame, 0, 0)).toEqual(frame.words);
      }),
    );
  });

  it('keeps -0, infinities, subnormals and the payload of a NaN', () => {
    const frame = createFrame(8);
    frame.values.set([0, -0, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE, 1 / 3, 0]);
    frame.words.set([0xdead_beef, 0x7ff8_1234], 14);
    expect(roundTrip(frame, 3, 1)).toEqual(frame.words);
  });

  it('takes one bit for a repeated value', () => {
    const frame = createFrame(801);
    frame.values.fill(123_456_789);
    const length = encodeValues(frame.words, 801, new Uint8Array(maxEncodedBytes(801)), 0);
    expect(length).toBe(8 + 100);
  });

  it('never needs more than it says', () => {
    const values = Array.from({ length: 500 }, (_, n) => [~n >>> 0, (n * 2_654_435_761) >>> 0]);
    const frame = frameOf(values as [number, number][]);
    const bytes = new Uint8Array(maxEncodedBytes(500));
    expect(encodeValues(frame.words, 500, bytes, 0)).toBeLessThanOrEqual(bytes.length - 8);
  });
});
