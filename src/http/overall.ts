/** How a target is, and how all of them are. */
import type { RuleInstance } from '../detect/rule-board.ts';
import { overallStatus, type Status, worst } from '../detect/status.ts';
import type { Warden } from '../warden.ts';

export const isFiring = (instance: RuleInstance): boolean => instance.state.phase === 'firing';

/** The rules about a target, and those about the host. */
export const rulesOf = (warden: Warden, target: string): RuleInstance[] =>
  warden.judge.board
    .instances()
    .filter((instance) => instance.target === target || instance.target === 'system');

const isMissing = (warden: Warden, target: string): boolean => {
  const state = warden.collector.state(target);
  return state !== undefined && state.state !== 'running';
};

/** Of one target; the host's own rules and budget count as well. One that is not running is unknown, unless it is worse. */
export function statusOf(warden: Warden, target: string): Status {
  const assessments = [target, 'system'].flatMap((name) => warden.judge.assessment(name) ?? []);
  const status = overallStatus({
    firing: rulesOf(warden, target)
      .filter(isFiring)
      .map((instance) => instance.rule.severity),
    budgets: assessments.flatMap((assessment) => assessment.budget?.level ?? []),
    pressure: assessments[0]?.pressure ?? 'unknown',
    sampled: !warden.stalled() && !Number.isNaN(warden.lastSampleMs),
  });
  return status === 'ok' && isMissing(warden, target) ? 'unknown' : status;
}

/** Of everything that is watched: the worst there is, and unknown rather than ok. Cost: 3 µs a target. */
export function statusOfAll(warden: Warden): Status {
  const levels = warden.states().map(({ name }) => statusOf(warden, name));
  const known = worst(levels);
  return known === 'ok' && levels.includes('unknown') ? 'unknown' : known;
}
