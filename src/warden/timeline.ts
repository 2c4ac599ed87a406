/**
 * The times that samples get. A stepped wall clock moves the past with it; a suspend is a gap and
 * stays one. See docs/adr/0003.
 */
import type { FastifyBaseLogger } from 'fastify';
import { type Clock, type ClockReading, clockStep } from '../collect/clock.ts';
import type { RuleBoard } from '../detect/rule-board.ts';
import type { History } from '../history/history.ts';
import type { Archive } from './archive.ts';

const MOST_TOLERANCE_MS = 500;

export interface Timeline {
  /** The time of the sample that is taken now: later than every other in history. */
  next(intervalMs: number): number;
}

export function createTimeline(options: {
  clock: Clock;
  history: History;
  archive: Archive;
  board: RuleBoard;
  log: FastifyBaseLogger;
}): Timeline {
  const { clock, history, archive, board, log } = options;
  let previous: ClockReading | null = null;

  const shiftAll = (deltaMs: number): void => {
    history.rebase(deltaMs);
    archive.shift(deltaMs);
    board.rebase(deltaMs);
    log.warn({ shiftMs: deltaMs }, 'the wall clock was stepped; history was moved with it');
  };

  return {
    next(intervalMs) {
      const now = clock.now();
      const toleranceMs = Math.min(MOST_TOLERANCE_MS, intervalMs / 2);
      const stepMs = previous === null ? 0 : clockStep(previous, now, toleranceMs);
      previous = now;
      if (stepMs !== 0) shiftAll(stepMs);
      const aheadMs = history.lastMs - now.wallMs;
      // Two samples in one millisecond, or a clock that is slewed: not worth moving the past for.
      if (aheadMs >= 0 && aheadMs <= toleranceMs) return history.lastMs + 1;
      // What the file remembers may lie ahead as well, when the clock was set back meanwhile.
      if (aheadMs > 0) shiftAll(-(aheadMs + 1));
      return now.wallMs;
    },
  };
}
