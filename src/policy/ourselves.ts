import type { TargetPolicy } from './policy.ts';

/** Watched always, whatever the policy names. */
export const OURSELVES: TargetPolicy = {
  name: 'self',
  match: { self: true },
  includeChildren: false,
  budget: null,
  attach: false,
  roles: [],
  cleaners: [],
  restart: null,
};
