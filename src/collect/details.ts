/**
 * The slow figures of all targets, in turn: each is visited once per interval, a process at a time,
 * within the caller's budget. A step looks at a part of many targets, so that it costs little when
 * none is due.
 */
import type { Target } from './target.ts';

export interface Details {
  /** A slice until `deadlineMs` of performance.now(); at least one process when one is due. */
  step(targets: readonly Target[], timeMs: number, deadlineMs: number): void;
}

/** Enough for a thousand targets in half of the usual interval, and all of them when there are few. */
const LEAST_LOOKS = 64;
const LOOKS_SHARE = 1 / 15;

export function createDetails({ intervalMs }: { readonly intervalMs: number }): Details {
  let turn = 0;

  /** Also due when the clock went back, or nothing was read yet. */
  const isDue = (target: Target, timeMs: number): boolean => {
    const { tree } = target;
    return tree !== null && !(timeMs - tree.inspectedMs < intervalMs && timeMs >= tree.inspectedMs);
  };

  return {
    step(targets, timeMs, deadlineMs) {
      const { length } = targets;
      const looks = Math.min(length, Math.max(LEAST_LOOKS, Math.ceil(length * LOOKS_SHARE)));
      for (let look = 0; look < looks; look++) {
        turn %= length;
        const target = targets[turn]!;
        while (isDue(target, timeMs)) {
          const budgetMs = Math.max(0, deadlineMs - performance.now());
          target.inspect({ timeMs, intervalMs, budgetMs });
          if (performance.now() >= deadlineMs) return;
        }
        turn++;
      }
    },
  };
}
