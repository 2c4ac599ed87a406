import { formatSpan } from '../../detect/words.ts';
import type { Comparison, Severity } from '../../policy/policy.ts';

/** What a rule's state says, as far as people need to hear it. */
export interface AlertFacts {
  readonly event: 'fired' | 'reminded' | 'resolved';
  readonly rule: string;
  readonly target: string;
  readonly severity: Severity;
  readonly metricKey: string;
  readonly comparison: Comparison;
  readonly threshold: number;
  /** of value, peak and threshold: `MiB`, `%`, … */
  readonly unit: string;
  /** null = unknown */
  readonly value: number | null;
  readonly peak: number | null;
  /** how far a change looks back */
  readonly windowMs: number;
  /** when it began to fire */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** The facts, and one line that says what, where, since when and how bad. */
export interface AlertMessage extends AlertFacts {
  readonly text: string;
}

/** A way to tell people. */
export interface Channel {
  readonly name: string;
  /** Resolves when it was accepted; rejects when not, or when `signal` aborts. */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>;
}

/** Puts facts into words, such as `critical: High Process Memory on api: process_memory_mb is …`. */
export function alertMessage(facts: AlertFacts): AlertMessage {
  const { event, rule, target, severity, sinceMs, nowMs } = facts;
  const state = { fired: severity, reminded: `still ${severity}`, resolved: 'resolved' }[event];
  const spanMs = Math.max(0, nowMs - sinceMs);
  const lasted =
    spanMs < 1000 ? '' : `${event === 'resolved' ? 'after' : 'for'} ${formatSpan(spanMs)}, `;
  const since = `since ${new Date(sinceMs).toISOString()}`;
  return { ...facts, text: `${state}: ${rule} on ${target}: ${howBad(facts)}, ${lasted}${since}` };
}

/** `process_memory_mb is 1210 MiB, above 1024 MiB (worst 1300 MiB)` */
function howBad(facts: AlertFacts): string {
  const { event, metricKey, comparison, threshold, value, peak, windowMs } = facts;
  if (comparison === 'absent') return `${metricKey} ${value === null ? 'is missing' : 'is back'}`;
  const unit = limitUnit(facts);
  const changes = comparison === 'percent_change' || comparison === 'rate_per_hour';
  const shown = changes
    ? `${metricKey} changed by ${quantity(value, unit)} in ${formatSpan(windowMs)}`
    : `${metricKey} is ${quantity(value, unit)}`;
  const limit = `${LIMIT_WORDS[comparison]} ${quantity(threshold, unit)}`;
  const worst = peak === null || peak === value ? '' : `worst ${quantity(peak, unit)}`;
  if (event === 'resolved') {
    return `${shown} again (${[`the threshold is ${limit}`, worst].filter(Boolean).join(', ')})`;
  }
  return `${shown}, ${limit}${worst === '' ? '' : ` (${worst})`}`;
}

const LIMIT_WORDS = {
  greater_than: 'above',
  less_than: 'below',
  percent_change: 'more than',
  rate_per_hour: 'more than',
} as const;

/** The unit of what is compared: a change of MiB is in %, a rate in MiB/h. */
export const limitUnit = ({
  comparison,
  unit,
}: Pick<AlertFacts, 'comparison' | 'unit'>): string => {
  if (comparison === 'percent_change') return '%';
  return comparison === 'rate_per_hour' ? `${unit}/h` : unit;
};

const quantity = (value: number | null, unit: string): string =>
  value === null || !Number.isFinite(value)
    ? 'unknown'
    : `${Number(value.toPrecision(4))}${unit === '' ? '' : ` ${unit}`}`;
