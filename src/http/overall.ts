/** How a target is, and how all of them are. */
import type { RuleInstance } from '../detect/rule-board.ts';
import { overallStatus, type Status, worst } from '../detect/status.ts';
import type { Severity } from '../policy/policy.ts';
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

type FiringByTarget = ReadonlyMap<string, readonly Severity[]>;

/** One walk over the rules, however many targets there are. */
function firingByTarget(warden: Warden): FiringByTarget {
  const firing = new Map<string, Severity[]>();
  for (const instance of warden.judge.board.instances()) {
    if (!isFiring(instance)) continue;
    const severities = firing.get(instance.target) ?? [];
    severities.push(instance.rule.severity);
    firing.set(instance.target, severities);
  }
  return firing;
}

/** Of one target; the host's own rules and budget count as well. One that is not running is unknown, unless it is worse. */
export function statusOf(
  warden: Warden,
  target: string,
  firing: FiringByTarget = firingByTarget(warden),
): Status {
  const assessments = [target, 'system'].flatMap((name) => warden.judge.assessment(name) ?? []);
  const status = overallStatus({
    firing: [target, 'system'].flatMap((name) => firing.get(name) ?? []),
    budgets: assessments.flatMap((assessment) => assessment.budget?.level ?? []),
    pressure: assessments[0]?.pressure ?? 'unknown',
    sampled: !warden.stalled() && !Number.isNaN(warden.lastSampleMs),
  });
  return status === 'ok' && isMissing(warden, target) ? 'unknown' : status;
}

/** Of everything that is watched: the worst there is, and unknown rather than ok. Cost: 4 µs a target. */
export function statusOfAll(warden: Warden): Status {
  const firing = firingByTarget(warden);
  const levels = warden.states().map(({ name }) => statusOf(warden, name, firing));
  const known = worst(levels);
  return known === 'ok' && levels.includes('unknown') ? 'unknown' : known;
}
