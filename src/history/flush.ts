import { createFrame } from './frame.ts';
import type { PendingRows } from './pending-rows.ts';
import type { Segment } from './segment.ts';
import { createSegmentBuilder, createWorkspace } from './segment-builder.ts';
import { addValues, clearSummary, emptySummary } from './summary.ts';

export interface FlushOptions {
  readonly id: number;
  /** columns there are */
  readonly width: number;
  readonly likelyIds?: Uint32Array;
}

export type Flush = (pending: PendingRows, options: FlushOptions) => Segment;

/** Compresses the pending rows, at least one, of columns 0 to `width` into a level 0 segment. */
export function createFlush(): Flush {
  let frame = createFrame(16);
  let varies = new Uint8Array(0);
  const summary = emptySummary();
  const workspace = createWorkspace();
  return (pending, { id, width, likelyIds }) => {
    const { rows, times, firstMs, lastMs } = pending;
    if (frame.values.length < rows) frame = createFrame(rows);
    const streams = [frame];
    const meta = { id, level: 0, stepMs: 0, firstMs, lastMs, rows } as const;
    const builder = createSegmentBuilder({ meta, times, columns: width, likelyIds, workspace });
    if (varies.length < width) varies = new Uint8Array(width);
    varies.fill(0);
    pending.markVarying(varies, width);
    for (let column = 0; column < width; column++) {
      if (varies[column] === 0) {
        const value = pending.value(0, column);
        if (!Number.isNaN(value)) builder.addConstant(column, value, rows);
        continue;
      }
      pending.readColumn(column, frame, 0);
      clearSummary(summary);
      addValues(summary, frame.values, 0, rows);
      builder.add(column, streams, summary);
    }
    return builder.finish();
  };
}
