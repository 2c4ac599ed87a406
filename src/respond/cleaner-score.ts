import type { Cleaner, CleanerRow } from './cleaner.ts';

/** What a cleaner has been worth since it was registered. Skipped turns do not count. */
export interface CleanerScore {
  readonly cleaner: string;
  readonly target: string;
  readonly runs: number;
  readonly ok: number;
  readonly failed: number;
  readonly timedOut: number;
  /** sum of what each run freed; runs after which the target had grown add nothing */
  readonly freedBytesTotal: number;
  /** null = unknown; negative when the target grew meanwhile */
  readonly lastFreedBytes: number | null;
  /** when it last ran; null = not yet */
  readonly lastRunMs: number | null;
  /** what went wrong in its last run; null when nothing did */
  readonly lastError: string | null;
}

/** The score of a cleaner that has not run. */
export const newScore = ({ name, target }: Cleaner): CleanerScore => ({
  cleaner: name,
  target,
  runs: 0,
  ok: 0,
  failed: 0,
  timedOut: 0,
  freedBytesTotal: 0,
  lastFreedBytes: null,
  lastRunMs: null,
  lastError: null,
});

/** The score after one more row. */
export function addToScore(score: CleanerScore, row: CleanerRow, nowMs: number): CleanerScore {
  if (row.outcome === 'skipped') return score;
  return {
    ...score,
    runs: score.runs + 1,
    ok: score.ok + Number(row.outcome === 'ok'),
    failed: score.failed + Number(row.outcome === 'failed'),
    timedOut: score.timedOut + Number(row.outcome === 'timed_out'),
    freedBytesTotal: score.freedBytesTotal + Math.max(0, row.freedBytes ?? 0),
    lastFreedBytes: row.freedBytes,
    lastRunMs: nowMs,
    lastError: row.outcome === 'ok' ? null : (row.error ?? row.outcome),
  };
}
