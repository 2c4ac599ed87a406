import { formatBytes } from '../detect/words.ts';
import {
  type Cleaner,
  type CleanerOutcome,
  type CleanerResult,
  type CleanupRequest,
  cleanerKey,
  SkipCleaner,
} from './cleaner.ts';
import { errorText } from './error-text.ts';
import { within } from './within.ts';

/** How one cleaner fared, before anything is measured. */
export interface CleanerAttempt {
  readonly outcome: CleanerOutcome;
  readonly freedBytes: number | null;
  readonly items: number | null;
  readonly error: string | null;
}

/** The most that can have been freed, and in words what holds that much. */
export interface Ceiling {
  readonly bytes: number;
  readonly of: string;
}

const attempt = (outcome: CleanerOutcome, error: string | null): CleanerAttempt => ({
  outcome,
  freedBytes: null,
  items: null,
  error,
});

/**
 * Runs one cleaner and always resolves, by its time-out at the latest. A cleaner that is still
 * hanging from an earlier run (its key is in `hanging`) is skipped, so that it never runs twice at once.
 */
export async function runCleaner(
  cleaner: Cleaner,
  request: CleanupRequest,
  options: { stop: AbortSignal; hanging: Set<string>; ceiling: Ceiling },
): Promise<CleanerAttempt> {
  const { stop, hanging, ceiling } = options;
  const key = cleanerKey(cleaner);
  if (hanging.has(key)) return attempt('skipped', 'its earlier run has not ended yet');
  const ending = await within<unknown>({
    timeoutMs: cleaner.timeoutMs,
    stop,
    start: (signal) => {
      hanging.add(key);
      return cleaner.run(signal, request);
    },
    onSettled: () => hanging.delete(key),
  });
  switch (ending.kind) {
    case 'done':
      return checked(ending.value, ceiling);
    case 'threw':
      return attempt(
        ending.error instanceof SkipCleaner ? 'skipped' : 'failed',
        errorText(ending.error),
      );
    case 'timed_out':
      return attempt('timed_out', `no answer within ${cleaner.timeoutMs} ms`);
    case 'stopped':
      return attempt('failed', 'given up: memwarden is stopping');
  }
}

/** Takes from an answer what makes sense, and says what did not. */
function checked(answer: unknown, ceiling: Ceiling): CleanerAttempt {
  try {
    const { freedBytes = null, items = null } = (answer ?? {}) as CleanerResult;
    const freedNote = nonsense('freedBytes', freedBytes) ?? implausible(freedBytes, ceiling);
    const itemsNote = nonsense('items', items);
    return {
      outcome: 'ok',
      freedBytes: freedNote === null ? freedBytes : null,
      items: itemsNote === null ? items : null,
      error: [freedNote, itemsNote].filter((text) => text !== null).join('; ') || null,
    };
  } catch (error) {
    return attempt('ok', `its answer was ignored: ${errorText(error)}`);
  }
}

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

const nonsense = (name: string, value: unknown): string | null =>
  value === null || isAmount(value)
    ? null
    : `its ${name} was ignored: ${typeof value} ${errorText(value).slice(0, 40)}`;

/** Nobody frees more than there was. */
const implausible = (freedBytes: number | null, { bytes, of }: Ceiling): string | null =>
  freedBytes === null || freedBytes <= bytes
    ? null
    : `its freedBytes was ignored: ${formatBytes(freedBytes)} is more than ${of} (${formatBytes(bytes)})`;
