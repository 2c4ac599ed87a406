import type { PressurePolicy } from '../policy/policy.ts';

/**
 * How close memory is to the effective limit, as a level.
 *
 * A level begins at its percentage and ends 2 points below it, so that a value that hovers around
 * a boundary does not flap. An unknown percentage is `unknown` at once and leaves no memory.
 */

export type PressureLevel = 'normal' | 'warning' | 'critical' | 'emergency' | 'unknown';

const DEAD_BAND_POINTS = 2;
const RANK = { unknown: 0, normal: 0, warning: 1, critical: 2, emergency: 3 } as const;

/** @param previous the level of the last evaluation; `unknown` at the first */
export function pressureLevel(
  percent: number,
  policy: PressurePolicy,
  previous: PressureLevel,
): PressureLevel {
  const reaches = (beginPercent: number, rank: number) =>
    percent >= (RANK[previous] >= rank ? beginPercent - DEAD_BAND_POINTS : beginPercent);

  if (Number.isNaN(percent)) return 'unknown';
  if (reaches(policy.emergencyPercent, RANK.emergency)) return 'emergency';
  if (reaches(policy.criticalPercent, RANK.critical)) return 'critical';
  return reaches(policy.warningPercent, RANK.warning) ? 'warning' : 'normal';
}
