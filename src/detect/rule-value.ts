import type { RulePolicy } from '../policy/policy.ts';
import type { MetricRef } from './metric-key.ts';

/**
 * The number a rule is compared on.
 *
 * Definition. `greater_than`, `less_than`, `absent`: the latest value. `percent_change`: how much
 * the median of the last minute is above the median of the minute one `window` earlier, in
 * percent. `rate_per_hour`: the difference of the same two medians, per hour.
 * Assumptions: the window holds one identity of the target only, so that a restart is no growth.
 * When it errs: a window below a minute compares two shorter medians, which are noisier.
 * Unknown (NaN): the value is, either minute is empty, the window is not full yet, or the base of
 * a percentage is not above 0.
 * Cost: two medians of at most a minute of samples.
 */

const MEDIAN_MS = 60_000;
const HOUR_MS = 3_600_000;

/** One series as history holds it, raw (before scale and offset); NaN = unknown. */
export interface Window {
  readonly latest: number;
  /** median over [atMs - widthMs / 2, atMs + widthMs / 2]; NaN when there is none */
  medianAround(atMs: number, widthMs: number): number;
  /** last known value at or before atMs, if it is not older than maxAgeMs */
  at(atMs: number, maxAgeMs: number): number;
  /** oldest sample of the target's present identity; NaN when there is none */
  readonly firstMs: number;
}

/** In the unit of `ref`; percent for `percent_change`, per hour for `rate_per_hour`. */
export function ruleValue(rule: RulePolicy, ref: MetricRef, window: Window, nowMs: number): number {
  const { comparison, windowMs } = rule;
  if (comparison !== 'percent_change' && comparison !== 'rate_per_hour') {
    return window.latest * ref.scale + ref.offset;
  }
  const widthMs = Math.min(MEDIAN_MS, windowMs);
  const startMs = nowMs - windowMs - widthMs;
  const full = window.firstMs <= startMs && !Number.isNaN(window.at(startMs, MEDIAN_MS));
  if (!full) return NaN;

  const middleMs = nowMs - widthMs / 2;
  const recent = window.medianAround(middleMs, widthMs) * ref.scale + ref.offset;
  const base = window.medianAround(middleMs - windowMs, widthMs) * ref.scale + ref.offset;
  if (comparison === 'rate_per_hour') return ((recent - base) * HOUR_MS) / windowMs;
  return base > 0 ? ((recent - base) * 100) / base : NaN;
}
