import type { BudgetPolicy } from '../policy/policy.ts';

export type BudgetLevel = 'ok' | 'warning' | 'critical' | 'unknown';

export interface BudgetVerdict {
  readonly level: BudgetLevel;
  /** of `maxBytes`, may pass 100; NaN when the usage is unknown */
  readonly percent: number;
}

/** Where a usage in bytes stands in its budget. A level begins at its percentage. */
export function judgeBudget(budget: BudgetPolicy, usageBytes: number): BudgetVerdict {
  const percent = (usageBytes * 100) / budget.maxBytes;
  return { level: budgetLevel(percent, budget), percent };
}

function budgetLevel(percent: number, budget: BudgetPolicy): BudgetLevel {
  if (Number.isNaN(percent)) return 'unknown';
  if (percent >= budget.criticalPercent) return 'critical';
  return percent >= budget.warningPercent ? 'warning' : 'ok';
}
