/**
 * Writes that must not be lost while the disk is full or the file is locked: kept in order, tried
 * again at the next flush, bounded. What falls off the bound is counted and told.
 */
export interface WriteQueue {
  /** Queues a write. It must be idempotent: it may be tried again after a failure. */
  push(write: () => void): void;
  /** Tries every queued write, oldest first, and stops at the first that fails. Cost: the writes'. */
  drain(): void;
  readonly length: number;
  readonly dropped: number;
  /** the last failure's message while writes are waiting; null when all are done */
  readonly problem: string | null;
}

/**
 * @param first what every drain does before the queued writes, which wait when it fails: it is never
 * given up, as what is queued is
 * @param onChange told when writing starts to fail (with the reason) and when it works again (null)
 */
export function createWriteQueue(options: {
  bound: number;
  first?(): void;
  onChange(problem: string | null, dropped: number): void;
}): WriteQueue {
  const waiting: (() => void)[] = [];
  let problem: string | null = null;
  let dropped = 0;

  const report = (next: string | null): void => {
    if (next === problem) return;
    problem = next;
    options.onChange(problem, dropped);
  };

  return {
    push(write) {
      if (waiting.length >= options.bound) {
        waiting.shift();
        dropped++;
      }
      waiting.push(write);
    },
    drain() {
      try {
        options.first?.();
        while (waiting.length > 0) {
          waiting[0]?.();
          waiting.shift();
        }
      } catch (error) {
        report(error instanceof Error ? error.message : String(error));
        return;
      }
      report(null);
    },
    get length() {
      return waiting.length;
    },
    get dropped() {
      return dropped;
    },
    get problem() {
      return problem;
    },
  };
}
