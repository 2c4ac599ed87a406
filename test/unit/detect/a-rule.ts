import type { RulePolicy } from '../../../src/policy/policy.ts';

/** `value > 100`, told at most once in 15 min; everything else as the policy's defaults. */
export function aRule(overrides: Partial<RulePolicy> = {}): RulePolicy {
  const threshold = overrides.threshold ?? 100;
  return {
    name: 'a rule',
    metricKey: 'process_memory_mb',
    comparison: 'greater_than',
    threshold,
    clearValue: threshold,
    windowMs: 600_000,
    forMs: 0,
    keepFiringForMs: 0,
    cooldownMs: 900_000,
    severity: 'warning',
    actions: ['notify'],
    target: null,
    times: null,
    withinMs: null,
    ...overrides,
  };
}
