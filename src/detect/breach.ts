import type { RulePolicy } from '../policy/policy.ts';

/**
 * Whether one value breaches a rule and whether it has come back.
 *
 * Between the two lies the rule's hysteresis: a value past `clearValue` but not past `threshold`
 * neither starts nor ends anything. A value that is not a finite number is unknown; it breaches
 * `absent` and nothing else, and it never clears anything.
 */

/** True when the value is past the threshold, which itself is still fine; or unknown, for `absent`. */
export function isBreached(rule: RulePolicy, value: number): boolean {
  const known = Number.isFinite(value);
  if (rule.comparison === 'absent') return !known;
  if (!known) return false;
  return breachesBelow(rule) ? value < rule.threshold : value > rule.threshold;
}

/** True when the value is back at `clearValue` or better; any known value, for `absent`. */
export function isCleared(rule: RulePolicy, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (rule.comparison === 'absent') return true;
  return breachesBelow(rule) ? value >= rule.clearValue : value <= rule.clearValue;
}

/** The worse of two values of this rule; null is "none yet", and for `absent` always. */
export function worseValue(rule: RulePolicy, a: number | null, b: number | null): number | null {
  if (rule.comparison === 'absent') return null;
  if (a === null || b === null) return a ?? b;
  return breachesBelow(rule) ? Math.min(a, b) : Math.max(a, b);
}

/** A negative `percent_change` or `rate_per_hour` asks for a fall, so it breaches below as well. */
function breachesBelow({ comparison, threshold }: RulePolicy): boolean {
  if (comparison === 'less_than') return true;
  return (comparison === 'percent_change' || comparison === 'rate_per_hour') && threshold < 0;
}
