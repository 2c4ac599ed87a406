import type { Table } from './window.ts';

/** How fine the history is over a stretch: 0 where every row is kept, else the length of a row. */
export interface Resolution {
  readonly stepMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which resolution reaches how far back, newest first; neighbours of the same step are one. */
export function resolutionOf({ segments, pending }: Table): Resolution[] {
  const { firstMs, lastMs, rows } = pending;
  const spans: { stepMs: number; fromMs: number; toMs: number }[] = [];
  if (rows > 0) spans.push({ stepMs: 0, fromMs: firstMs, toMs: lastMs });
  for (const segment of segments.toReversed()) {
    const newer = spans.at(-1);
    if (newer?.stepMs === segment.stepMs) newer.fromMs = segment.firstMs;
    else spans.push({ stepMs: segment.stepMs, fromMs: segment.firstMs, toMs: segment.lastMs });
  }
  return spans;
}
