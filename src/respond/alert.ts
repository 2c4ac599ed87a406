/** A rule's state in words, and the id by which people and programs speak of it. */
import { createHash } from 'node:crypto';
import type { RuleEvent } from '../detect/rule.ts';
import type { RuleInstance } from '../detect/rule-board.ts';
import { type AlertMessage, alertMessage } from './notify/channel.ts';

/** Twelve hex digits of rule and target: the same over restarts, and fit for a URL. */
export const ruleId = ({ key }: Pick<RuleInstance, 'key'>): string =>
  createHash('sha256').update(key).digest('hex').slice(0, 12);

/** What to tell people about an instance; `event` is what has just happened to it. */
export function messageOf(instance: RuleInstance, event: RuleEvent, nowMs: number): AlertMessage {
  const { rule, state, metric, target } = instance;
  return alertMessage({
    event,
    rule: rule.name,
    target,
    severity: rule.severity,
    metricKey: rule.metricKey,
    comparison: rule.comparison,
    threshold: rule.threshold,
    windowMs: rule.windowMs,
    unit: metric.unit,
    value: state.value,
    peak: state.peak,
    sinceMs: state.firingSinceMs ?? state.sinceMs,
    nowMs,
  });
}
