/**
 * What the latest sample of one target means: which limit binds, how hard it presses, and whether
 * it keeps to its budget. Composes limits.ts, pressure.ts and budget.ts; holds no state itself.
 */
import type { BudgetPolicy, PressurePolicy } from '../policy/policy.ts';
import { type BudgetVerdict, judgeBudget } from './budget.ts';
import { type EffectiveLimit, effectiveLimit, type LimitUsage } from './limits.ts';
import { type PressureLevel, pressureLevel } from './pressure.ts';

export interface Assessment {
  readonly limit: EffectiveLimit;
  readonly pressure: PressureLevel;
  /** of the effective limit; NaN when no limit is known */
  readonly pressurePercent: number;
  /** null when the target has none */
  readonly budget: BudgetVerdict | null;
}

export interface AssessmentInput {
  /** the limits collect knows; the budget is added here */
  readonly limits: readonly LimitUsage[];
  /** RSS + swap; NaN when unknown */
  readonly footprintBytes: number;
  readonly budget: BudgetPolicy | null;
  readonly pressure: PressurePolicy;
  readonly previous: PressureLevel;
}

/** A few dozen flops and one small object; called for a bounded number of targets per tick. */
export function assess(input: AssessmentInput): Assessment {
  const { budget, footprintBytes } = input;
  const limits = budget
    ? [
        ...input.limits,
        {
          kind: 'budget' as const,
          name: 'budget',
          limitBytes: budget.maxBytes,
          usageBytes: footprintBytes,
        },
      ]
    : input.limits;
  const limit = effectiveLimit(limits);
  const pressurePercent = limit.binding?.usedPercent ?? Number.NaN;
  return {
    limit,
    pressurePercent,
    pressure: pressureLevel(pressurePercent, input.pressure, input.previous),
    budget: budget ? judgeBudget(budget, footprintBytes) : null,
  };
}
