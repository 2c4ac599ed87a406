import { codes } from '../errors.ts';
import { CLEANUP_LEVELS, type Cleaner, type CleanerRow, cleanerKey } from './cleaner.ts';
import { addToScore, type CleanerScore, newScore } from './cleaner-score.ts';

const DEFAULT_ORDER = 100;
/** setTimeout's largest; beyond it a timer fires at once */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Scores kept of cleaners that are gone, oldest forgotten first. */
const MAX_RETIRED_SCORES = 1_000;

/**
 * The cleaners there are, in the order they run, each with its score. A cleaner is known by its
 * target and name, so that one that is registered again, as on a policy reload, keeps its score.
 */
export interface CleanerRegistry {
  /**
   * @returns a function that takes it out again
   * @throws MEM_CONFLICT when the target has one of that name; MEM_BAD_REQUEST for a bad time-out
   */
  register(cleaner: Cleaner): () => void;
  /** by order, then level, then as registered */
  list(): Cleaner[];
  /** The one that has this one's target and name now, which may be itself. */
  current(cleaner: Cleaner): Cleaner | undefined;
  record(cleaner: Cleaner, row: CleanerRow, nowMs: number): void;
  /** of those that are registered */
  scores(): CleanerScore[];
}

/** An empty registry. */
export function createCleanerRegistry(): CleanerRegistry {
  const cleaners = new Map<string, Cleaner>();
  const scores = new Map<string, CleanerScore>();

  const forgetOldest = (): void => {
    for (const key of scores.keys()) {
      if (scores.size <= cleaners.size + MAX_RETIRED_SCORES) return;
      if (!cleaners.has(key)) scores.delete(key);
    }
  };

  return {
    register(cleaner) {
      const key = cleanerKey(cleaner);
      refuseBadTimeout(cleaner);
      refuseTwin(cleaners.get(key));
      cleaners.set(key, cleaner);
      if (!scores.has(key)) scores.set(key, newScore(cleaner));
      return () => {
        if (cleaners.get(key) !== cleaner) return;
        cleaners.delete(key);
        forgetOldest();
      };
    },
    list: () => [...cleaners.values()].sort(byOrderThenLevel),
    current: (cleaner) => cleaners.get(cleanerKey(cleaner)),
    record(cleaner, row, nowMs) {
      const key = cleanerKey(cleaner);
      scores.set(key, addToScore(scores.get(key) ?? newScore(cleaner), row, nowMs));
    },
    scores: () => [...cleaners.values()].map(scoreOf),
  };

  function scoreOf(cleaner: Cleaner): CleanerScore {
    return scores.get(cleanerKey(cleaner)) ?? newScore(cleaner);
  }
}

const byOrderThenLevel = (a: Cleaner, b: Cleaner): number =>
  (a.order ?? DEFAULT_ORDER) - (b.order ?? DEFAULT_ORDER) ||
  CLEANUP_LEVELS.indexOf(a.level) - CLEANUP_LEVELS.indexOf(b.level);

function refuseTwin(twin: Cleaner | undefined): void {
  if (!twin) return;
  throw new codes.MEM_CONFLICT(
    `target "${twin.target}" already has a cleaner "${twin.name}": unregister it first, or give this one another name`,
  );
}

function refuseBadTimeout({ name, timeoutMs }: Cleaner): void {
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw new codes.MEM_BAD_REQUEST(
    `cleaner "${name}": timeoutMs must be over 0 and at most ${MAX_TIMEOUT_MS}, got ${timeoutMs}`,
  );
}
