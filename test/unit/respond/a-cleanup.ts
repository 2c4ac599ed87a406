import type { Cleaner, CleanerResult } from '../../../src/respond/cleaner.ts';
import { type Cleanup, type CleanupOptions, createCleanup } from '../../../src/respond/cleanup.ts';

/** A reading is its RSS, so that tests can see which one they got. */
export type FakeReading = { readonly target: string; readonly rssBytes: number };

export interface Logged {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A log that keeps its lines. */
export function createKeptLog() {
  const lines: Logged[] = [];
  const keep = (level: Logged['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** A cleanup whose targets have the memory that `rss` says. */
export function aCleanup(over: Partial<CleanupOptions<FakeReading>> = {}) {
  const rss = new Map<string, number>();
  const log = createKeptLog();
  let ids = 0;
  const cleanup: Cleanup<FakeReading> = createCleanup<FakeReading>({
    nowMs: () => 1_000,
    measure: (target) => ({ target, rssBytes: rss.get(target) ?? Number.NaN }),
    rssBytes: (reading) => reading.rssBytes,
    heldBytes: (reading) => reading.rssBytes,
    machineBytes: 2 ** 40,
    newId: () => `run-${++ids}`,
    log,
    ...over,
  });
  return { cleanup, rss, log };
}

/** A cleaner that does `run`; gentle, on `self`, with a second to do it. */
export const aCleaner = (
  name: string,
  run: Cleaner['run'] = () => undefined,
  over: Partial<Cleaner> = {},
): Cleaner => ({
  name,
  level: 'gentle',
  target: 'self',
  timeoutMs: 1_000,
  plan: () => `do ${name}`,
  run,
  ...over,
});

/** Work that ends when the test says so, and says when it has begun. */
export function aGate() {
  let open: (result?: CleanerResult) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<CleanerResult | undefined>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return {
    begun,
    open,
    fail,
    run: () => {
      begin();
      return ended;
    },
  };
}
