/** What was done so far: each cleaner with what it has been worth. */
import type { CleanerScore } from '../respond/cleaner-score.ts';
import type { Warden } from '../warden.ts';
import { timeOrNull } from './reading-view.ts';
import type { CleanerWire } from './status-schema.ts';

const cleanerView = (score: CleanerScore): CleanerWire => ({
  cleaner: score.cleaner,
  target: score.target,
  runs: score.runs,
  ok: score.ok,
  failed: score.failed,
  timed_out: score.timedOut,
  freed_bytes_total: score.freedBytesTotal,
  last_freed_bytes: score.lastFreedBytes,
  last_run: timeOrNull(score.lastRunMs),
  last_error: score.lastError,
});

/** Those of a target, or all when it is null; in the order they run. */
export const cleanersView = (warden: Warden, target: string | null): CleanerWire[] =>
  warden.cleanup
    .scores()
    .filter((score) => target === null || score.target === target)
    .map(cleanerView);
