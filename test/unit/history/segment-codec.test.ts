import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryChange, Segment } from '../../../src/history/history.ts';
import { createHistory } from '../../../src/history/history.ts';
import { decodeSegment, encodeSegment } from '../../../src/history/segment-codec.ts';
import { DAY_MS, wander } from './fixture.ts';

/** One real segment of each level, with gaps, a constant column and one never known. */
function segmentOfEachLevel(): Segment[] {
  const history = createHistory({ retentionMs: DAY_MS, maxBytes: 40_000, rowsPerSegment: 60 });
  for (let id = 0; id < 5; id++) history.column(`a/${id}`);
  const [pages, other] = [wander(6000), wander(6000, 7)];
  const byLevel = new Map<number, Segment>();
  const keep = (change: HistoryChange | null) => {
    for (const segment of change?.insert ?? []) byLevel.set(segment.level, segment);
  };
  for (let row = 0; row < 6000; row++) {
    const gap = row % 97 < 5 ? Number.NaN : other[row]!;
    history.append(row * 1000 + (row % 3), Float64Array.of(pages[row]!, 7, gap, Number.NaN, -0));
    if (row % 10 === 9) keep(history.flush());
    keep(history.compact(2));
  }
  return [0, 1, 2, 3].map((level) => byLevel.get(level)!);
}

const segments = segmentOfEachLevel();

describe('segment codec', () => {
  it.each([0, 1, 2, 3])('gives a segment of level %i back', (level) => {
    const segment = segments[level]!;
    expect(segment.level).toBe(level);
    expect(decodeSegment(segment, encodeSegment(segment))).toEqual(segment);
  });

  it('gives a wide segment back, whose memory is mapped on its own', () => {
    const wide = Array.from({ length: 4_000 }, (_, n) => wander(20, n + 1));
    const history = createHistory({ retentionMs: DAY_MS, maxBytes: 64 * 2 ** 20 });
    for (const id of wide.keys()) history.column(`a/${id}`);
    for (let row = 0; row < 20; row++) {
      history.append(
        row * 1000,
        Float64Array.from(wide, (column) => column[row]!),
      );
    }
    const [segment] = history.flush()?.insert ?? [];
    const again = createHistory({ retentionMs: DAY_MS, maxBytes: 64 * 2 ** 20 });
    const keys = history.keys().map((key, id) => ({ id, key }));
    again.restore(keys, [decodeSegment(segment!, encodeSegment(segment!, crc32), crc32)]);
    expect(segment?.block.buffer).toHaveProperty('resizable', true);
    for (const id of [0, 1_999, 3_999]) {
      expect(history.points(id, 0, 19_000).v).toEqual(wide[id]);
      expect(again.points(id, 0, 19_000).v).toEqual(wide[id]);
    }
  });

  it('reads a body that starts at an odd byte of a larger buffer', () => {
    const body = encodeSegment(segments[1]!);
    const larger = new Uint8Array(body.length + 9);
    larger.set(body, 3);
    expect(decodeSegment(segments[1]!, larger.subarray(3, 3 + body.length))).toEqual(segments[1]);
  });

  it('keeps times relative, so that the meta may be moved', () => {
    const segment = segments[0]!;
    const moved = { ...segment, firstMs: segment.firstMs + 5, lastMs: segment.lastMs + 5 };
    expect(decodeSegment(moved, encodeSegment(segment))).toEqual(moved);
  });

  it('refuses a body cut short or with bytes to spare', () => {
    for (const segment of segments) {
      const body = encodeSegment(segment);
      for (let length = 0; length < body.length; length++) {
        expect(() => decodeSegment(segment, body.subarray(0, length))).toThrow(RangeError);
      }
      expect(() => decodeSegment(segment, Uint8Array.of(...body, 0))).toThrow(RangeError);
    }
  });

  it('refuses a body with damaged bytes, whichever', () => {
    const bodies = segments.map((segment) => encodeSegment(segment));
    const damage = fc.record({
      level: fc.nat(3),
      at: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 4 }),
      flip: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(damage, ({ level, at, flip }) => {
        const body = bodies[level]!.slice();
        for (const place of new Set(at.map((n) => n % body.length))) body[place]! ^= flip;
        expect(() => decodeSegment(segments[level]!, body)).toThrow(RangeError);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses what is no segment at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), (body) => {
        expect(() => decodeSegment(segments[0]!, body)).toThrow(/^Segment \d+ cannot be read: /);
      }),
    );
  });

  it('refuses the body of another segment', () => {
    expect(() => decodeSegment(segments[0]!, encodeSegment(segments[1]!))).toThrow(/another level/);
    const longer = { ...segments[1]!, lastMs: segments[1]!.lastMs + 1 };
    expect(() => decodeSegment(longer, encodeSegment(segments[1]!))).toThrow(/another level/);
  });
});
