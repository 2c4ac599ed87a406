/** The report of one target, from the last sample. Built at most once per tick and target. */

import type { BudgetVerdict } from '../detect/budget.ts';
import type { Limit } from '../detect/limits.ts';
import type { RuleInstance } from '../detect/rule-board.ts';
import type { BudgetPolicy } from '../policy/policy.ts';
import { messageOf, ruleId } from '../respond/alert.ts';
import { limitUnit } from '../respond/notify/channel.ts';
import type { Warden } from '../warden.ts';
import { cleanersView } from './cleaners-view.ts';
import { isFiring, rulesOf, statusOf, statusOfAll } from './overall.ts';
import { finite, readingView, timeOrNull } from './reading-view.ts';
import type { RuleWire } from './schemas.ts';
import type { StatusWire } from './status-schema.ts';
import { summary } from './summary.ts';
import { targetView } from './target-view.ts';

const perHourMb = (bytesPerHour: number): number | null =>
  finite(Math.round((bytesPerHour / 2 ** 20) * 100) / 100);

const COST_NOT_KNOWN = 'known once memwarden has run for 30 s';

const limitView = (limit: Limit) => ({
  kind: limit.kind,
  name: limit.name,
  limit_bytes: finite(limit.limitBytes),
  usage_bytes: finite(limit.usageBytes),
  headroom_bytes: finite(limit.headroomBytes),
  used_percent: finite(Math.round(limit.usedPercent * 100) / 100),
});

/** A rule and its state on the wire. */
export function ruleView(instance: RuleInstance): RuleWire {
  const nowMs = Date.now();
  const { rule, state, metric } = instance;
  return {
    id: ruleId(instance),
    name: rule.name,
    target: instance.target,
    metric_key: rule.metricKey,
    comparison: rule.comparison,
    threshold_value: rule.threshold,
    unit: limitUnit({ comparison: rule.comparison, unit: metric.unit }),
    severity: rule.severity,
    state: state.phase,
    value: finite(instance.value),
    peak: state.peak,
    since: new Date(state.sinceMs).toISOString(),
    last_notified: timeOrNull(state.lastNotifiedMs),
    message: state.phase === 'firing' ? messageOf(instance, 'fired', nowMs).text : null,
  };
}

function historyView(warden: Warden): StatusWire['history'] {
  const { history, archive } = warden;
  return {
    from: timeOrNull(history.firstMs),
    to: timeOrNull(history.lastMs),
    series: history.width,
    bytes: history.bytes,
    max_bytes: warden.policy.history.maxMemoryBytes,
    persistent: archive.persistent,
    resolution: history.resolution().map((reach) => ({
      step_seconds: (reach.stepMs || warden.policy.sampling.intervalMs) / 1000,
      from: new Date(reach.fromMs).toISOString(),
      to: new Date(reach.toMs).toISOString(),
    })),
    dropped_segments: archive.droppedSegments,
  };
}

function selfView(warden: Warden): StatusWire['self'] {
  const { cost, ticker, degradation, archive, policy } = warden;
  return {
    uptime_seconds: Math.round((Date.now() - warden.startedAtMs) / 1000),
    cpu_percent: finite(Math.round(cost.cpuPercent * 1000) / 1000),
    rss_bytes: finite(cost.rssBytes),
    sampling_percent: finite(Math.round(cost.samplingPercent * 1000) / 1000),
    samples: cost.samples,
    overruns: ticker.overruns,
    sample_duration_ms: finite(Math.round(cost.lastTickMs * 1000) / 1000),
    interval_seconds: ticker.intervalMs / 1000,
    degraded: degradation.level,
    reason: degradation.reason,
    warnings: [
      ...archive.warnings,
      ...policy.warnings,
      ...policy.notAvailableYet,
      ...(warden.failures > 0 ? [`${warden.failures} samples failed; the log says why`] : []),
    ],
  };
}

function whyUnknown({ comparison, metric_key: key, target }: RuleWire): string {
  return comparison === 'percent_change' || comparison === 'rate_per_hour'
    ? `it looks further back than what is known of ${key} of ${target}`
    : `${key} of ${target} is not known`;
}

/** Every null that does not simply mean "there is none", with its reason. */
function unknownOf(status: StatusWire): StatusWire['unknown'] {
  const { current, trend, pressure, limits, self, thresholds } = status;
  const reasons: [metric: string, isUnknown: boolean, reason: string | null][] = [
    ['trend', trend.direction === 'unknown', trend.reason],
    ['pressure.percent', pressure.percent === null, limits.explanation],
    ['self.cpu_percent', self.cpu_percent === null, COST_NOT_KNOWN],
    ['self.sampling_percent', self.sampling_percent === null, COST_NOT_KNOWN],
    ['leak', true, 'leak verdicts are not available in this version'],
    ['diagnosis', true, 'diagnosis is not available in this version'],
  ];
  return [
    ...current.unknown.map(({ metric, reason }) => ({ metric: `current.${metric}`, reason })),
    ...thresholds.flatMap((rule) =>
      rule.state === 'unknown'
        ? { metric: `thresholds.${rule.name}`, reason: whyUnknown(rule) }
        : [],
    ),
    ...reasons.flatMap(([metric, isUnknown, reason]) =>
      isUnknown ? { metric, reason: reason ?? 'not known yet' } : [],
    ),
  ];
}

const budgetView = (
  verdict: BudgetVerdict | null | undefined,
  budget: BudgetPolicy | null,
): StatusWire['budget'] =>
  verdict && budget
    ? {
        status: verdict.level,
        max_bytes: budget.maxBytes,
        used_percent: finite(Math.round(verdict.percent * 100) / 100),
      }
    : null;

/**
 * The whole report, of a target; with `null` of the default target, with the status of all.
 * Cost: one live reading, a trend at most a minute old, no decoding of history.
 */
export function statusView(warden: Warden, asked: string | null, version: string): StatusWire {
  const target = asked ?? warden.defaultTarget;
  const current = readingView(warden.read(target));
  const { judge } = warden;
  const assessment = judge.assessment(target);
  const rules = rulesOf(warden, target);
  const drift = warden.judge.trend(target, warden.lastSampleMs);
  const binding = assessment?.limit.binding ?? null;
  const status: StatusWire = {
    status: asked === null ? statusOfAll(warden) : statusOf(warden, asked),
    summary: '',
    timestamp: new Date(warden.lastSampleMs || warden.startedAtMs).toISOString(),
    target,
    version,
    current,
    trend: {
      direction: drift.direction,
      slope_mb_per_hour: perHourMb(drift.slopeBytesPerHour),
      low_mb_per_hour: perHourMb(drift.lowBytesPerHour),
      high_mb_per_hour: perHourMb(drift.highBytesPerHour),
      p_value: finite(drift.pValue),
      window_seconds: warden.judge.trendWindowMs / 1000,
      reason: drift.reason,
    },
    thresholds: rules.map(ruleView),
    history: historyView(warden),
    limits: {
      binding: binding && limitView(binding),
      all: assessment?.limit.limits.map(limitView) ?? [],
      explanation: assessment?.limit.reason ?? 'not assessed yet',
    },
    pressure: {
      level: assessment?.pressure ?? 'unknown',
      percent: finite(assessment?.pressurePercent ?? Number.NaN),
    },
    budget: budgetView(assessment?.budget, judge.budget(target)),
    global_budget: budgetView(judge.globalBudget(warden.row), warden.policy.globalBudget),
    leak: null,
    diagnosis: null,
    targets: warden.states().map((state) => targetView(warden, state)),
    alerts: warden.judge.board.instances().filter(isFiring).map(ruleView),
    cleaners: cleanersView(warden, asked),
    self: selfView(warden),
    unknown: [],
  };
  return {
    ...status,
    summary: summary(warden, status, asked === null),
    unknown: unknownOf(status),
  };
}
