/** The report of one target, from the last sample. Built at most once per tick and target. */

import type { BudgetVerdict } from '../detect/budget.ts';
import type { Limit } from '../detect/limits.ts';
import type { RuleInstance } from '../detect/rule-board.ts';
import { overallStatus, type Status } from '../detect/status.ts';
import { formatBytes, formatRate } from '../detect/words.ts';
import type { BudgetPolicy } from '../policy/policy.ts';
import { messageOf, ruleId } from '../respond/alert.ts';
import { limitUnit } from '../respond/notify/channel.ts';
import type { Warden } from '../warden.ts';
import { finite, readingView, timeOrNull } from './reading-view.ts';
import type { RuleWire, StatusWire } from './schemas.ts';
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

export const isFiring = (instance: RuleInstance): boolean => instance.state.phase === 'firing';

const rulesOf = (warden: Warden, target: string): RuleInstance[] =>
  warden.judge.board
    .instances()
    .filter((instance) => instance.target === target || instance.target === 'system');

/** Overall status of a target; the host's own rules and pressure count as well. */
export function statusOf(warden: Warden, target: string): Status {
  const assessments = [target, 'system'].flatMap((name) => warden.judge.assessment(name) ?? []);
  const firing = rulesOf(warden, target).filter(isFiring);
  return overallStatus({
    firing: firing.map((instance) => instance.rule.severity),
    budgets: assessments.flatMap((assessment) => assessment.budget?.level ?? []),
    pressure: assessments[0]?.pressure ?? 'unknown',
    sampled: !warden.stalled() && !Number.isNaN(warden.lastSampleMs),
  });
}

function summary(warden: Warden, status: StatusWire): string {
  const state = warden.collector.state(status.target);
  if (state && state.state !== 'running') {
    return `${status.target} is ${state.state}: ${state.reason ?? 'no process matches'}.`;
  }
  const rss = formatBytes(status.current.process?.rss_bytes ?? Number.NaN);
  const slope = warden.judge.trend(status.target, warden.lastSampleMs).slopeBytesPerHour;
  const moving =
    status.trend.direction === 'increasing' || status.trend.direction === 'decreasing'
      ? `${status.trend.direction} (${formatRate(slope)})`
      : status.trend.direction === 'stable'
        ? 'stable over the last hour'
        : 'too young for a trend';
  const alerts = status.alerts.map((alert) => alert.message ?? alert.name);
  const said = alerts.length > 0 ? ` Alerts: ${alerts.join(' ')}` : ' No alert.';
  const holds = status.target === 'system' ? 'The host' : `${status.target} holds ${rss}`;
  return `${holds}, ${moving}. ${status.limits.explanation}.${said}`;
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

/** Every null that does not simply mean "there is none", with its reason. */
function unknownOf({ current, trend, pressure, limits, self }: StatusWire): StatusWire['unknown'] {
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

/** The whole report. Cost: one live reading, a trend at most a minute old, no decoding of history. */
export function statusView(warden: Warden, target: string, version: string): StatusWire {
  const current = readingView(warden.read(target));
  const { judge } = warden;
  const assessment = judge.assessment(target);
  const rules = rulesOf(warden, target);
  const drift = warden.judge.trend(target, warden.lastSampleMs);
  const binding = assessment?.limit.binding ?? null;
  const status: StatusWire = {
    status: statusOf(warden, target),
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
    self: selfView(warden),
    unknown: [],
  };
  return { ...status, summary: summary(warden, status), unknown: unknownOf(status) };
}
