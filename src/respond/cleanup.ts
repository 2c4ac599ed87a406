/**
 * Cleanup: runs the registered cleaners of a level and all gentler ones, each isolated, each
 * measured. gentle < aggressive < emergency.
 */
import { codes } from '../errors.ts';
import type { CleanupLevel } from '../policy/policy.ts';
import {
  CLEANUP_LEVELS,
  type Cleaner,
  type CleanerOutcome,
  type CleanerRow,
  type CleanupRequest,
} from './cleaner.ts';
import { createCleanerRegistry } from './cleaner-registry.ts';
import type { CleanerScore } from './cleaner-score.ts';
import { type CleanupRun, covers, type PassOptions, runPass } from './cleanup-pass.ts';
import { errorText } from './error-text.ts';
import type { Log } from './log.ts';
import { createSingleFlight } from './single-flight.ts';

export type { CleanupRun } from './cleanup-pass.ts';

/** Well within the 5 s that an orderly end may take. */
const CLOSE_WAIT_MS = 3_000;

export interface CleanupOptions<R> {
  nowMs(): number;
  /** A live reading of a target. A failure costs a run its figures, not its work. */
  measure(target: string): R | Promise<R>;
  /** NaN = unknown */
  rssBytes(reading: R): number;
  /** What the process holds, swapped out or not; NaN = unknown. A cleaner that says it freed more is not believed. */
  heldBytes(reading: R): number;
  /** memory of the machine: bounds what no reading does */
  readonly machineBytes: number;
  newId(): string;
  /** hears of every run that acted, and of dry runs */
  onRun?(run: CleanupRun<R>): void;
  readonly log: Log;
  /** how long close() waits for the cleaner that is running; 3 s when not given */
  readonly closeWaitMs?: number;
}

export type RunCounts = Readonly<Record<CleanerOutcome, number>>;

export interface Cleanup<R> {
  /**
   * @returns a function that unregisters it
   * @throws MEM_CONFLICT when the target has a cleaner of that name; MEM_BAD_REQUEST for a bad time-out
   */
  register(cleaner: Cleaner): () => void;
  /**
   * Joins the running cleanup when that does all this one asks for; else waits behind it, together
   * with all others that wait. A dry run does not act, so it never waits. Rejects with MEM_NOT_READY
   * once closed, and never because of a cleaner.
   */
  run(request: CleanupRequest): Promise<CleanupRun<R>>;
  scores(): CleanerScore[];
  /** runs that acted, by level and by the worst outcome of their cleaners (`ok` when there were none) */
  readonly runs: ReadonlyMap<CleanupLevel, RunCounts>;
  /** Lets the cleaner that is running end, up to a ceiling, and starts no other. */
  close(): Promise<void>;
}

/** A cleanup without cleaners; `register` adds them. */
export function createCleanup<R>(options: CleanupOptions<R>): Cleanup<R> {
  const registry = createCleanerRegistry();
  const stop = new AbortController();
  const runs = new Map(CLEANUP_LEVELS.map((level) => [level, NO_RUNS] as const));
  let closing = false;

  const pass: PassOptions<R> = {
    ...options,
    registry,
    hanging: new Set(),
    stop: stop.signal,
    closing: () => closing,
  };

  const run = async (requests: readonly CleanupRequest[]): Promise<CleanupRun<R>> => {
    const done = await runPass(requests, pass);
    if (!done.dryRun) {
      const counts = runs.get(done.level) ?? NO_RUNS;
      const outcome = worstOutcome(done.results);
      runs.set(done.level, { ...counts, [outcome]: counts[outcome] + 1 });
    }
    tell(done, options);
    return done;
  };
  const flight = createSingleFlight({ covers, run });

  return {
    register: registry.register,
    scores: registry.scores,
    runs,
    async run(request) {
      if (closing) throw new codes.MEM_NOT_READY('memwarden is stopping: no cleanup is started');
      return request.dryRun ? run([request]) : flight.request(request);
    },
    async close() {
      closing = true;
      const ceiling = setTimeout(() => stop.abort(), options.closeWaitMs ?? CLOSE_WAIT_MS);
      await flight.idle();
      clearTimeout(ceiling);
    },
  };
}

const NO_RUNS: RunCounts = { ok: 0, failed: 0, timed_out: 0, skipped: 0 };
const WORST_FIRST = ['failed', 'timed_out', 'ok', 'skipped'] as const;

const worstOutcome = (rows: readonly CleanerRow[]): CleanerOutcome =>
  WORST_FIRST.find((outcome) => rows.some((row) => row.outcome === outcome)) ?? 'ok';

/** One line a run, one for each cleaner that went wrong, and the listener's own failure. */
function tell<R>(run: CleanupRun<R>, { log, onRun }: CleanupOptions<R>): void {
  const { id, level, reason, dryRun, durationMs, freedBytes } = run;
  for (const row of run.results) {
    if (row.outcome === 'failed' || row.outcome === 'timed_out') {
      log.warn({ id, ...row }, 'a cleaner did not do its work');
    }
  }
  // not `level`, which is the log's own
  const told = { id, cleanupLevel: level, reason, dryRun, durationMs, freedBytes };
  const cleaners = run.results.map(({ target, cleaner, outcome }) => ({
    target,
    cleaner,
    outcome,
  }));
  log.info({ ...told, outcome: worstOutcome(run.results), cleaners }, 'cleanup done');
  try {
    onRun?.(run);
  } catch (error) {
    log.error({ id, error: errorText(error) }, 'a listener of cleanups failed');
  }
}
