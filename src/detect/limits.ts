import { formatBytes } from './words.ts';

/**
 * The effective limit: of all limits that hold for a target, the one that ends it first.
 *
 * Method: the limit with the least headroom in bytes binds. Ties: v8_heap, cgroup, budget, host.
 * Assumptions: every limit is charged for the same growth, byte for byte.
 * When it errs: growth outside the JavaScript heap does not come closer to V8's limit; and a
 * cgroup ancestor or the host can be filled by a neighbour.
 * Cost: one pass over a handful of limits.
 */

const KINDS = ['v8_heap', 'cgroup', 'budget', 'host'] as const;
export type LimitKind = (typeof KINDS)[number];

export interface LimitUsage {
  readonly kind: LimitKind;
  /** cgroup path, budget name, `heap limit` or `host` */
  readonly name: string;
  /** Infinity when there is none, NaN when it cannot be read */
  readonly limitBytes: number;
  /** NaN when unknown */
  readonly usageBytes: number;
}

export interface Limit extends LimitUsage {
  /** negative when the limit is passed; NaN when the usage is unknown */
  readonly headroomBytes: number;
  readonly usedPercent: number;
}

export interface EffectiveLimit {
  /** every finite limit above 0, in the order given */
  readonly limits: readonly Limit[];
  readonly binding: Limit | null;
  /** the binding limit in words, or why there is none */
  readonly reason: string;
}

/** Which of the limits binds. A limit whose usage is unknown is listed and never binds. */
export function effectiveLimit(inputs: readonly LimitUsage[]): EffectiveLimit {
  const limits = inputs.filter(isLimit).map(measure);
  const binding = limits.reduce<Limit | null>(tighter, null);
  return {
    limits,
    binding,
    // in words only when someone reads them: this is worked out for many targets a tick
    get reason() {
      return explain(limits, binding);
    },
  };
}

/** `cgroup /app: 812 MiB of 1024 MiB used, 212 MiB left` */
export function explainBinding(binding: Limit): string {
  const { usageBytes, limitBytes, headroomBytes } = binding;
  const used = `${formatBytes(usageBytes)} of ${formatBytes(limitBytes, usageBytes)} used`;
  const left =
    headroomBytes < 0
      ? `${formatBytes(-headroomBytes)} over`
      : `${formatBytes(headroomBytes)} left`;
  return `${title(binding)}: ${used}, ${left}`;
}

function isLimit({ limitBytes }: LimitUsage): boolean {
  return limitBytes > 0 && limitBytes < Infinity;
}

function measure({ kind, name, limitBytes, usageBytes }: LimitUsage): Limit {
  const headroomBytes = limitBytes - usageBytes;
  const usedPercent = (usageBytes * 100) / limitBytes;
  return { kind, name, limitBytes, usageBytes, headroomBytes, usedPercent };
}

function tighter(best: Limit | null, limit: Limit): Limit | null {
  if (!Number.isFinite(limit.headroomBytes)) return best;
  if (best === null || limit.headroomBytes < best.headroomBytes) return limit;
  const tie = limit.headroomBytes === best.headroomBytes;
  return tie && KINDS.indexOf(limit.kind) < KINDS.indexOf(best.kind) ? limit : best;
}

function explain(limits: readonly Limit[], binding: Limit | null): string {
  if (binding !== null) return explainBinding(binding);
  return limits.length === 0 ? 'no limit is set' : 'the usage of every limit is unknown';
}

function title({ kind, name }: Limit): string {
  if (kind === 'v8_heap') return `V8 ${name}`;
  return kind === name ? name : `${kind} ${name}`;
}
