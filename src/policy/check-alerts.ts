/** What must hold within and between the alert channels. */

import { checkDuplicates } from './check-duplicates.ts';
import type { Finding, Path } from './finding.ts';
import type { ChannelPolicy } from './policy.ts';
import type { RawPolicy } from './schema.ts';

type RawChannel = RawPolicy['alerts']['channels'][number];

interface ChannelKeys {
  /** one of each group must be there, and not two */
  readonly required: readonly (readonly string[])[];
  readonly optional: readonly string[];
}

const KEYS_BY_TYPE: Readonly<Record<ChannelPolicy['type'], ChannelKeys>> = {
  log: { required: [], optional: [] },
  webhook: { required: [['url', 'url_file']], optional: ['secret_file'] },
  alertmanager: { required: [['url']], optional: [] },
  email: { required: [['smtp'], ['from'], ['to']], optional: [] },
  slack: { required: [['url', 'url_file']], optional: [] },
  a2a: { required: [['url']], optional: [] },
};

/** Faults of a policy whose shape is right. */
export function checkAlerts({ alerts }: RawPolicy): Finding[] {
  const path = ['alerts', 'channels'];
  return [
    ...checkDuplicates(path, alerts.channels),
    ...alerts.channels.flatMap((channel, index) => checkChannel(channel, [...path, index])),
  ];
}

function checkChannel(channel: RawChannel, path: Path): Finding[] {
  const { required, optional } = KEYS_BY_TYPE[channel.type];
  const usable = ['name', 'type', ...required.flat(), ...optional];
  const misplaced = Object.keys(channel)
    .filter((key) => !usable.includes(key))
    .map((key) => ({
      path: [...path, key],
      expected: `only ${usable.join(', ')} for a channel of type ${channel.type}`,
      got: key,
    }));
  const missing = required
    .map((group) => ({ group, given: group.filter((key) => Object.hasOwn(channel, key)) }))
    .filter(({ given }) => given.length !== 1)
    .map(({ group, given }) => ({
      path,
      expected: `${group.join(' or ')} for a channel of type ${channel.type}`,
      got: given.length === 0 ? 'nothing' : 'both',
    }));
  return [...misplaced, ...missing];
}
