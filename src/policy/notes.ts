/** What a valid policy asks for that will not happen, told at the start rather than missed later. */

import { METRIC_KEYS } from '../detect/metric-key.ts';
import { windowOf } from './check-thresholds.ts';
import { nearestName } from './did-you-mean.ts';
import { formatPath } from './finding.ts';
import type { RawPolicy } from './schema.ts';
import { parseDuration } from './units.ts';

const SEVERITIES = ['warning', 'critical', 'emergency'] as const;

/**
 * Keys the user set that are accepted and validated, and that this version does not act on.
 * `given` holds the top-level keys that were written, as a default asks for nothing.
 */
export function notAvailableYet(raw: RawPolicy, given: ReadonlySet<string>): string[] {
  const keys = [
    ...raw.targets.flatMap(targetKeys),
    ...(given.has('leak_detection') && raw.leak_detection.enabled ? ['leak_detection'] : []),
    ...(given.has('orphans') ? ['orphans'] : []),
    ...raw.alerts.channels.flatMap(({ type }, index) =>
      type === 'log' ? [] : [`alerts.channels[${index}] (${type})`],
    ),
    ...(['oversight', 'ledger'] as const).filter((key) => given.has(key)),
  ];
  return keys.map((key) => `${key}: not available yet`);
}

/** What is allowed and probably not meant. */
export function warningsOf(raw: RawPolicy): string[] {
  return [
    ...unknownBudgets(raw),
    ...unknownRecipients(raw),
    ...unknownRuleTargets(raw),
    ...unknownMetrics(raw),
    ...windowsOutOfReach(raw),
  ];
}

function targetKeys(target: RawPolicy['targets'][number], index: number): string[] {
  const at = (...steps: (string | number)[]) => formatPath(['targets', index, ...steps]);
  const isForeign = target.match.self !== true;
  return [
    ...(target.attach ? [at('attach')] : []),
    ...(target.roles.length > 0 ? [at('roles')] : []),
    ...target.cleaners.flatMap(({ gc }, cleaner) =>
      gc === true && isForeign ? [`${at('cleaners', cleaner)} (gc)`] : [],
    ),
    ...(target.restart === undefined ? [] : [at('restart')]),
  ];
}

function unknownRecipients({ alerts }: RawPolicy): string[] {
  const channels = new Set(alerts.channels.map(({ name }) => name));
  return SEVERITIES.flatMap((severity) =>
    (alerts.recipients[severity] ?? [])
      .filter((recipient) => !channels.has(recipient))
      .map(
        (recipient) =>
          `alerts.recipients.${severity}: no channel is named ${JSON.stringify(recipient)}; nothing is sent there`,
      ),
  );
}

/** Not an error: a service may register under that name later. */
function unknownBudgets({ memory_budgets: { services }, targets }: RawPolicy): string[] {
  const known = namesOf(targets);
  return Object.keys(services)
    .filter((name) => !known.has(name))
    .map((name) => `memory_budgets.services.${name}: no target is named "${name}" in this file`);
}

function namesOf(targets: RawPolicy['targets']): ReadonlySet<string> {
  return new Set(['self', ...targets.map(({ name }) => name)]);
}

/** Not an error, for the same reason. */
function unknownRuleTargets({ thresholds, targets }: RawPolicy): string[] {
  const known = namesOf(targets);
  return thresholds.flatMap(({ target }, index) =>
    target === null || known.has(target)
      ? []
      : [`thresholds[${index}].target: no target is named "${target}" in this file`],
  );
}

/** Not an error: a gauge may be pushed under that name, with or without the prefix. */
function unknownMetrics({ thresholds }: RawPolicy): string[] {
  const known = METRIC_KEYS.map(({ key }) => key);
  return thresholds.flatMap(({ metric_key: key }, index) => {
    if (known.includes(key) || key.startsWith('custom.')) return [];
    const nearest = nearestName(key, known);
    const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
    return [
      `thresholds[${index}].metric_key: "${key}" is no built-in metric${hint} and is taken for a gauge; custom.${key} says so`,
    ];
  });
}

/** Only ever true of the default rules: one that the user wrote is refused. */
function windowsOutOfReach({ thresholds, history }: RawPolicy): string[] {
  return thresholds.flatMap((rule) => {
    const window = windowOf(rule);
    return window === null || parseDuration(window) <= parseDuration(history.retention)
      ? []
      : [`rule "${rule.name}" stays unknown: it looks back further than history.retention`];
  });
}
