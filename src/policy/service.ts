/**
 * A service that registered itself over HTTP: what it said, checked, and the target it becomes.
 * The registration is kept with the identity the process had, so that a recycled pid is never taken
 * for the service after a restart.
 */
import { codes } from '../errors.ts';
import type { CleanerPolicy, CleanupLevel, TargetPolicy } from './policy.ts';
import { parseSize } from './units.ts';
import { hasCredentials, isLoopback } from './url.ts';

export const TARGET_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

export interface Registration {
  readonly name: string;
  readonly pid: number;
  readonly includeChildren: boolean;
  readonly budgetBytes: number | null;
  readonly cleanupUrl: string | null;
  readonly cleanupLevel: CleanupLevel;
  readonly metricsAddress: string | null;
  readonly metricsPath: string;
  /** identity at registration; null until the process was seen */
  readonly identity: string | null;
}

const reject = (detail: string): never => {
  throw new codes.MEM_BAD_REQUEST(detail);
};

/** A cleanup URL is called by us, so it may only point at this machine. @throws MEM_BAD_REQUEST */
export function checkCleanupUrl(url: string): string {
  if (!URL.canParse(url)) reject(`cleanup_url: expected a URL such as http://127.0.0.1:3000/trim`);
  const parsed = new URL(url);
  const { protocol, hostname } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') reject('cleanup_url: expected http or https');
  if (hasCredentials(parsed)) reject('cleanup_url: must not carry credentials');
  if (!isLoopback(hostname)) reject(`cleanup_url: expected a loopback host, got ${hostname}`);
  return url;
}

/** @throws MEM_BAD_REQUEST when the name is not one a target may have */
export function checkTargetName(name: string): string {
  if (!TARGET_NAME.test(name)) reject('name: expected 1–64 of A–Z a–z 0–9 _ . -');
  if (name === 'system' || name === 'self') reject(`name: "${name}" is reserved`);
  return name;
}

/** @throws MEM_BAD_REQUEST when it is no size, or zero */
export function checkBudget(text: string): number {
  try {
    const bytes = parseSize(text);
    if (bytes > 0) return bytes;
  } catch {
    // what a size looks like is said below, as for zero
  }
  return reject(`budget: expected a size such as 400MiB, got ${text.slice(0, 40)}`);
}

/** The target a registration becomes. `percents` are the global warning and critical shares. */
export function registrationTarget(
  service: Registration,
  percents: { warningPercent: number; criticalPercent: number },
): TargetPolicy {
  const hook: CleanerPolicy[] = service.cleanupUrl
    ? [
        {
          name: 'cleanup-url',
          level: service.cleanupLevel,
          timeoutMs: 5_000,
          http: { url: service.cleanupUrl, method: 'POST' },
          signal: null,
          gc: false,
          command: null,
          reclaimBytes: null,
        },
      ]
    : [];
  return {
    name: service.name,
    match: { pid: service.pid },
    includeChildren: service.includeChildren,
    budget: service.budgetBytes === null ? null : { maxBytes: service.budgetBytes, ...percents },
    attach: false,
    roles: [],
    cleaners: hook,
    restart: null,
  };
}
