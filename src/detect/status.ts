import type { Severity } from '../policy/policy.ts';
import type { BudgetLevel } from './budget.ts';
import type { PressureLevel } from './pressure.ts';

export type Status = 'ok' | Severity | 'unknown';

const WORST_FIRST = ['emergency', 'critical', 'warning', 'ok'] as const;

/**
 * The worst known level. `unknown` only when nothing is known: what is known to be bad must not
 * be hidden by what is not known, and a part that is not known is reported as such elsewhere.
 */
export function worst(levels: readonly Status[]): Status {
  return WORST_FIRST.find((level) => levels.includes(level)) ?? 'unknown';
}

export interface StatusInputs {
  /** severities of the rules that fire */
  readonly firing: readonly Severity[];
  readonly budgets: readonly BudgetLevel[];
  readonly pressure: PressureLevel;
  /** false when there is no fresh sample; then only what still fires counts */
  readonly sampled: boolean;
}

/** The overall status of a target. */
export function overallStatus({ firing, budgets, pressure, sampled }: StatusInputs): Status {
  if (!sampled) return worst(firing);
  return worst(['ok', ...firing, ...budgets, pressure === 'normal' ? 'ok' : pressure]);
}
