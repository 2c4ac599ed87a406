import type { Policy } from './policy.ts';

/**
 * The keys that differ and that only a restart applies: they were read once at start. A token that
 * changed is named, never shown.
 */
export function keysNeedingRestart(before: Policy, after: Policy): string[] {
  const differs = (pick: (policy: Policy) => unknown): boolean =>
    JSON.stringify(pick(before)) !== JSON.stringify(pick(after));
  const keys: string[] = [];
  if (differs(({ server }) => server)) keys.push('server');
  if (differs(({ dataDir }) => dataDir)) keys.push('data_dir');
  if (differs(({ sampling }) => sampling.detailIntervalMs)) keys.push('sampling.detail_interval');
  return keys;
}
