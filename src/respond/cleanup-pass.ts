import type { CleanupLevel } from '../policy/policy.ts';
import { CLEANUP_LEVELS, type Cleaner, type CleanerRow, type CleanupRequest } from './cleaner.ts';
import type { CleanerRegistry } from './cleaner-registry.ts';
import { errorText } from './error-text.ts';
import type { Log } from './log.ts';
import { type Ceiling, runCleaner } from './run-cleaner.ts';
import { within } from './within.ts';

const MEASURE_TIMEOUT_MS = 5_000;

/** One cleanup that was done, or in a dry run only planned. R is the kind of reading. */
export interface CleanupRun<R> {
  readonly id: string;
  readonly level: CleanupLevel;
  readonly dryRun: boolean;
  readonly reason: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly results: CleanerRow[];
  /** of the target asked for, or `self` when it was for several; null = could not be measured */
  readonly before: R | null;
  readonly after: R | null;
  /** sum of what the rows know; null when none knows */
  readonly freedBytes: number | null;
}

export interface PassOptions<R> {
  readonly registry: CleanerRegistry;
  /** keys of the cleaners of earlier passes that have not ended yet */
  readonly hanging: Set<string>;
  /** ends the cleaner that is running */
  readonly stop: AbortSignal;
  /** true: start no further cleaner */
  closing(): boolean;
  nowMs(): number;
  measure(target: string): R | Promise<R>;
  /** NaN = unknown */
  rssBytes(reading: R): number;
  /** what the process holds, swapped out or not; NaN = unknown */
  heldBytes(reading: R): number;
  /** memory of the machine */
  readonly machineBytes: number;
  newId(): string;
  readonly log: Log;
}

type Scope = Pick<CleanupRequest, 'level' | 'target'>;

/** Whether work for `requests` runs everything that `request` asks for. */
export const covers = (requests: readonly Scope[], request: Scope): boolean =>
  requests.some(
    ({ level, target }) =>
      rank(level) >= rank(request.level) && (target == null || target === request.target),
  );

/**
 * Runs, one after the other, every cleaner that any of `requests` asks for. Never fails: what a
 * cleaner does wrong is in its row.
 */
export async function runPass<R>(
  requests: readonly CleanupRequest[],
  options: PassOptions<R>,
): Promise<CleanupRun<R>> {
  const request = summary(requests);
  const subject = request.target ?? 'self';
  const startedAtMs = options.nowMs();
  const beganMs = performance.now();
  const before = await measure(subject, options);
  const results: CleanerRow[] = [];
  for (const listed of options.registry.list()) {
    // Policies and services come and go while a slow cleaner runs.
    const cleaner = options.registry.current(listed);
    if (!cleaner || !covers(requests, cleaner)) continue;
    const row = request.dryRun ? planned(cleaner) : await cleaned(cleaner, request, options);
    options.registry.record(cleaner, row, options.nowMs());
    results.push(row);
  }
  return {
    id: options.newId(),
    level: request.level,
    dryRun: request.dryRun === true,
    reason: request.reason,
    startedAtMs,
    durationMs: performance.now() - beganMs,
    results,
    before,
    after: await measure(subject, options),
    freedBytes: total(results),
  };
}

const rank = (level: CleanupLevel): number => CLEANUP_LEVELS.indexOf(level);

/** The highest level, every reason once, and the target when all agree on one. */
function summary(requests: readonly CleanupRequest[]): CleanupRequest {
  const targets = new Set(requests.map((request) => request.target ?? null));
  const [target = null] = targets;
  return {
    level: CLEANUP_LEVELS[Math.max(...requests.map(({ level }) => rank(level)))] ?? 'gentle',
    target: targets.size === 1 ? target : null,
    dryRun: requests[0]?.dryRun === true,
    reason: [...new Set(requests.map(({ reason }) => reason))].join('; '),
  };
}

function planned(cleaner: Cleaner): CleanerRow {
  try {
    return { ...emptyRow(cleaner), plan: cleaner.plan() };
  } catch (error) {
    return { ...emptyRow(cleaner), outcome: 'failed', error: errorText(error) };
  }
}

async function cleaned<R>(
  cleaner: Cleaner,
  request: CleanupRequest,
  options: PassOptions<R>,
): Promise<CleanerRow> {
  if (options.closing()) return { ...emptyRow(cleaner), error: 'memwarden is stopping' };
  const before = await measure(cleaner.target, options);
  const beganMs = performance.now();
  const { stop, hanging } = options;
  const ceiling = ceilingOf(cleaner, before, options);
  const attempt = await runCleaner(cleaner, request, { stop, hanging, ceiling });
  const durationMs = performance.now() - beganMs;
  const freedBytes =
    attempt.outcome === 'ok' && attempt.freedBytes === null
      ? difference(before, await measure(cleaner.target, options), options)
      : attempt.freedBytes;
  return { ...emptyRow(cleaner), ...attempt, freedBytes, durationMs };
}

function ceilingOf<R>(cleaner: Cleaner, before: R | null, options: PassOptions<R>): Ceiling {
  const heldBytes = before === null ? Number.NaN : options.heldBytes(before);
  return cleaner.freesPageCache || Number.isNaN(heldBytes)
    ? { bytes: options.machineBytes, of: 'this machine has' }
    : { bytes: heldBytes, of: 'the process held' };
}

const emptyRow = ({ name, target }: Cleaner): CleanerRow => ({
  cleaner: name,
  target,
  outcome: 'skipped',
  freedBytes: null,
  items: null,
  durationMs: 0,
  error: null,
});

/** A measurement that fails must not stop a cleanup: null, and told in the log. */
async function measure<R>(target: string, options: PassOptions<R>): Promise<R | null> {
  const ending = await within({
    timeoutMs: MEASURE_TIMEOUT_MS,
    start: () => options.measure(target),
  });
  if (ending.kind === 'done') return ending.value;
  const error = ending.kind === 'threw' ? errorText(ending.error) : ending.kind;
  options.log.error({ target, error }, 'memory could not be measured for a cleanup');
  return null;
}

function difference<R>(before: R | null, after: R | null, options: PassOptions<R>): number | null {
  if (before === null || after === null) return null;
  const freedBytes = options.rssBytes(before) - options.rssBytes(after);
  return Number.isFinite(freedBytes) ? freedBytes : null;
}

function total(rows: readonly CleanerRow[]): number | null {
  const known = rows.map((row) => row.freedBytes).filter((freed) => freed !== null);
  return known.length === 0 ? null : known.reduce((sum, freed) => sum + freed, 0);
}
