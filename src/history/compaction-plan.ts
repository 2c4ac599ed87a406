/**
 * What to merge next. Small segments become one of full resolution; only when memory runs short do
 * the oldest become coarser: rows of 10 s, then of 60 s.
 */
import type { MergePlan } from './merge.ts';
import { type Segment, segmentBytes } from './segment.ts';

export interface PlanLimits {
  readonly maxBytes: number;
  readonly rowsPerSegment: number;
}

/** Thinning starts here, so that there is room for its result before the limit is reached. */
const THIN_ABOVE = 0.75;
/** Small segments may take this share before they are merged early: each repeats its summaries. */
const HEAD_SHARE = 1 / 8;
const HEAD_SEGMENTS = 8;
/** Sources of one merge may take this share, since its result lives beside them for a while. */
const MERGE_SHARE = 1 / 4;
const SEALED_PER_THINNING = 6;
const STEPS_PER_THINNING = 4;

function sumOf(segments: readonly Segment[], size: (segment: Segment) => number): number {
  return segments.reduce((sum, segment) => sum + size(segment), 0);
}

/** The first of `segments` that together stay under `maxBytes`, but never none. */
function upTo(maxBytes: number, segments: readonly Segment[]): readonly Segment[] {
  let bytes = 0;
  const end = segments.findIndex((segment) => {
    bytes += segmentBytes(segment);
    return bytes > maxBytes;
  });
  return end < 0 ? segments : segments.slice(0, Math.max(1, end));
}

function planSealing(segments: readonly Segment[], limits: PlanLimits): MergePlan | null {
  const head = segments.slice(segments.findLastIndex(({ level }) => level > 0) + 1);
  const rows = sumOf(head, (segment) => segment.rows);
  if (rows >= limits.rowsPerSegment) return { sources: head, level: 1, stepMs: 0 };
  const crowded =
    head.length >= HEAD_SEGMENTS && sumOf(head, segmentBytes) > limits.maxBytes * HEAD_SHARE;
  return crowded ? { sources: head, level: 0, stepMs: 0 } : null;
}

function planThinning(segments: readonly Segment[], limits: PlanLimits): MergePlan | null {
  const sealed = segments.filter(({ level }) => level === 1);
  const steps = segments.filter(({ level }) => level === 2);
  const maxBytes = limits.maxBytes * MERGE_SHARE;
  const toSteps = (count: number): MergePlan => ({
    sources: upTo(maxBytes, sealed.slice(0, count)),
    level: 2,
    stepMs: 10_000,
  });
  if (sealed.length >= SEALED_PER_THINNING) return toSteps(SEALED_PER_THINNING);
  if (steps.length > 0) {
    const sources = upTo(maxBytes, steps.slice(0, STEPS_PER_THINNING));
    return { sources, level: 3, stepMs: 60_000 };
  }
  return sealed.length > 1 ? toSteps(sealed.length - 1) : null;
}

/** The next merge, or null when there is nothing to gain. `bytes` is all the history holds. */
export function planMerge(
  segments: readonly Segment[],
  bytes: number,
  limits: PlanLimits,
): MergePlan | null {
  const sealing = planSealing(segments, limits);
  if (sealing) return sealing;
  return bytes > limits.maxBytes * THIN_ABOVE ? planThinning(segments, limits) : null;
}
