import type { CleanupLevel } from '../policy/policy.ts';

export const CLEANUP_LEVELS = ['gentle', 'aggressive', 'emergency'] as const;

/** What is asked of a cleanup. */
export interface CleanupRequest {
  readonly level: CleanupLevel;
  /** null or absent = every target */
  readonly target?: string | null;
  /** say what would be done, and do nothing */
  readonly dryRun?: boolean;
  /** for the record, and told to the application that is asked to clean */
  readonly reason: string;
}

/** What a cleaner says of its own work; left out or null = it does not know. */
export interface CleanerResult {
  readonly freedBytes?: number | null;
  readonly items?: number | null;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a cleaner may be any function that returns nothing
export type CleanerAnswer = CleanerResult | void;

/** One way to free memory. It may throw, hang or answer nonsense: the run goes on. */
export interface Cleaner {
  /** unique for its target */
  readonly name: string;
  /** the gentlest level that runs it */
  readonly level: CleanupLevel;
  /** lower runs first; 100 when not given */
  readonly order?: number;
  readonly timeoutMs: number;
  /** `self` or a target's name */
  readonly target: string;
  /** frees what no process holds as well, so that its figure may be over what the target's holds */
  readonly freesPageCache?: boolean;
  /** What it would do, in one line. Must not act. */
  plan(): string;
  /**
   * Cleans. `signal` aborts at the time-out; whatever it holds should be let go then. A synchronous
   * cleaner blocks the process and cannot be timed out.
   * @throws SkipCleaner when there is nothing it could do here; anything else is a failure
   */
  run(signal: AbortSignal, request: CleanupRequest): CleanerAnswer | Promise<CleanerAnswer>;
}

/** Target and name, by which a cleaner is known. */
export const cleanerKey = ({ target, name }: Pick<Cleaner, 'target' | 'name'>): string =>
  `${target}\u0000${name}`;

export type CleanerOutcome = 'ok' | 'failed' | 'timed_out' | 'skipped';

export interface CleanerRow {
  readonly cleaner: string;
  readonly target: string;
  readonly outcome: CleanerOutcome;
  /**
   * What the cleaner said, if that can be, else the target's RSS before minus after, which is
   * negative when the target grew meanwhile. null = unknown.
   */
  readonly freedBytes: number | null;
  readonly items: number | null;
  readonly durationMs: number;
  /** why it failed or was skipped; for one that went well, what of its answer was ignored */
  readonly error: string | null;
  /** in a dry run only */
  readonly plan?: string;
}

/** Thrown by a cleaner that cannot act here and now: the row says `skipped`, and why. */
export class SkipCleaner extends Error {
  override readonly name = 'SkipCleaner';
}
