/**
 * Degradation of memwarden itself, past its own budget.
 *
 * Definition: a level 0–3, each sampling more rarely (DEGRADED_FACTOR), which answers too much CPU;
 * and whether history was halved, which answers too much memory: sampling less frees none. Halving
 * once makes old data coarser; halving on would make them forgotten.
 * Method: one step when the cost was over for a whole window. The level returns one step when the
 * CPU was under half of its budget for RECOVERY windows in a row: quick to yield, slow to return.
 * Memory is not taken back: it would be full again, and halved again.
 * Errs: a single expensive window on a stopped machine costs one level for a few minutes.
 */
export const DEGRADED_FACTOR = [1, 2, 5, 10] as const;
const RECOVERY_WINDOWS = 4;
const MOST_HALVINGS = 1;

export interface Degradation {
  readonly level: number;
  readonly halvings: number;
  readonly calmWindows: number;
  /** why, while either is above 0 */
  readonly reason: string | null;
}

export const NOT_DEGRADED: Degradation = { level: 0, halvings: 0, calmWindows: 0, reason: null };

export interface OwnCost {
  /** percent of one core over the window; NaN = unknown, which changes nothing */
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** The next state after one window; the same object when nothing changed. */
export function stepDegradation(
  state: Degradation,
  cost: OwnCost,
  budget: { cpuPercent: number; rssBytes: number },
): Degradation {
  return stepCpu(
    stepMemory(state, cost.rssBytes, budget.rssBytes),
    cost.cpuPercent,
    budget.cpuPercent,
  );
}

function stepMemory(state: Degradation, rssBytes: number, budgetBytes: number): Degradation {
  if (!(rssBytes > budgetBytes) || state.halvings >= MOST_HALVINGS) return state;
  const reason = `own memory ${mebibytes(rssBytes)} MiB is over the budget of ${mebibytes(budgetBytes)} MiB: history was halved`;
  return { ...state, halvings: state.halvings + 1, reason };
}

function stepCpu(state: Degradation, percent: number, budget: number): Degradation {
  if (percent > budget) {
    const level = Math.min(state.level + 1, DEGRADED_FACTOR.length - 1);
    const reason = `own CPU ${percent.toFixed(2)} % is over the budget of ${budget} %: sampling every ${DEGRADED_FACTOR[level]} intervals`;
    return { ...state, level, calmWindows: 0, reason };
  }
  if (state.level === 0) return state;
  const calm = percent < budget / 2;
  if (!calm) return state.calmWindows === 0 ? state : { ...state, calmWindows: 0 };
  if (state.calmWindows + 1 < RECOVERY_WINDOWS) {
    return { ...state, calmWindows: state.calmWindows + 1 };
  }
  const level = state.level - 1;
  const reason = level === 0 && state.halvings === 0 ? null : state.reason;
  return { ...state, level, calmWindows: 0, reason };
}
