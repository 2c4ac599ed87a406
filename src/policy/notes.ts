/** What a valid policy asks for that will not happen, told at the start rather than missed later. */

import { windowOf } from './check-thresholds.ts';
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
    ...(raw.orphans.action === 'report' ? [] : [`orphans.action (${raw.orphans.action})`]),
    ...raw.alerts.channels.flatMap(({ type }, index) =>
      type === 'log' ? [] : [`alerts.channels[${index}] (${type})`],
    ),
    ...(['oversight', 'ledger'] as const).filter((key) => given.has(key)),
  ];
  return keys.map((key) => `${key}: not available yet`);
}

/** What is allowed and probably not meant. */
export function warningsOf(raw: RawPolicy): string[] {
  return [...unknownRecipients(raw), ...unknownRuleTargets(raw), ...windowsOutOfReach(raw)];
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
function unknownRuleTargets({ thresholds, targets }: RawPolicy): string[] {
  const known = new Set(['self', ...targets.map(({ name }) => name)]);
  return thresholds.flatMap(({ target }, index) =>
    target === null || known.has(target)
      ? []
      : [`thresholds[${index}].target: no target is named "${target}" in this file`],
  );
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
