/** A valid file with its defaults to the policy the rooms receive: milliseconds, bytes, frozen. */

import { windowOf } from './check-thresholds.ts';
import { deepFreeze } from './deep-freeze.ts';
import { budgetOf, targetPolicy } from './normalise-target.ts';
import type { AlertPolicy, Policy, RulePolicy } from './policy.ts';
import type { RawPolicy } from './schema.ts';
import { MINUTE_MS, parseDuration, parseSize } from './units.ts';

/** What does not stand in the file's own keys. */
export type Surroundings = Pick<Policy, 'source' | 'notAvailableYet' | 'warnings'> & {
  readonly token: string | null;
};

/** Never fails for a policy that passed every check. */
export function normalise(raw: RawPolicy, { token, ...surroundings }: Surroundings): Policy {
  return deepFreeze<Policy>({
    ...surroundings,
    ...ownSettings(raw, token),
    ...budgetsAndTargets(raw),
    ...judgement(raw),
    ...responses(raw),
  });
}

function ownSettings({ server, sampling, history, data_dir }: RawPolicy, token: string | null) {
  return {
    server: {
      host: server.host,
      port: server.port,
      tokenFile: server.token_file,
      token,
      allowedHosts: server.allowed_hosts,
      protectMetrics: server.protect_metrics,
    },
    sampling: {
      intervalMs: parseDuration(sampling.interval),
      detailIntervalMs: parseDuration(sampling.detail_interval),
      selfBudget: {
        cpuPercent: sampling.self_budget.cpu_percent,
        rssBytes: parseSize(sampling.self_budget.rss),
      },
    },
    history: {
      retentionMs: parseDuration(history.retention),
      flushMs: parseDuration(history.flush),
      maxMemoryBytes: parseSize(history.max_memory),
    },
    dataDir: data_dir,
  };
}

function budgetsAndTargets({ memory_budgets: { global, services }, targets }: RawPolicy) {
  const budgetPercents = {
    warningPercent: global.warning_threshold_percent,
    criticalPercent: global.critical_threshold_percent,
  };
  const serviceBudgets = new Map(
    Object.entries(services).map(([name, size]) => [name, budgetOf(size, budgetPercents)]),
  );
  return {
    budgetPercents,
    serviceBudgets,
    globalBudget:
      global.max_memory_mb === null ? null : budgetOf(global.max_memory_mb, budgetPercents),
    targets: targets.map((target) => targetPolicy(target, { budgetPercents, serviceBudgets })),
  };
}

function judgement({ thresholds, pressure, leak_detection: leak }: RawPolicy) {
  return {
    rules: thresholds.map(rulePolicy),
    pressure: {
      warningPercent: pressure.warning,
      criticalPercent: pressure.critical,
      emergencyPercent: pressure.emergency,
    },
    leak: {
      enabled: leak.enabled,
      intervalMs: parseDuration(leak.interval),
      minAgeMs: parseDuration(leak.min_age),
      cleanupAt: leak.cleanup_at,
      captureAt: leak.capture_at,
    },
  };
}

function responses({ auto_cleanup: cleanup, orphans, alerts, oversight, ledger }: RawPolicy) {
  return {
    autoCleanup: {
      intervalMs: parseDuration(cleanup.interval),
      level: cleanup.level,
      cooldownMs: parseDuration(cleanup.cooldown),
    },
    orphans: {
      scanMs: parseDuration(orphans.scan),
      action: orphans.action,
      killTimeoutMs: parseDuration(orphans.kill_timeout),
    },
    alerts: alertPolicy(alerts),
    oversight: {
      requireApproval: oversight.require_approval,
      memoryPercent: oversight.memory_percent,
      delegationDepth: oversight.delegation_depth,
      expiresMs: parseDuration(oversight.expires),
      onExpiry: oversight.on_expiry,
    },
    ledger: {
      retentionEntries: ledger.retention_entries,
      retentionMs: parseDuration(ledger.retention),
    },
  };
}

function rulePolicy(rule: RawPolicy['thresholds'][number]): RulePolicy {
  const window = windowOf(rule);
  // an absent rule compares with nothing: NaN can be crossed by no value
  const threshold = rule.threshold_value ?? Number.NaN;
  return {
    name: rule.name,
    metricKey: rule.metric_key,
    comparison: rule.comparison,
    threshold,
    clearValue: rule.clear_value ?? threshold,
    windowMs: window === null ? 0 : parseDuration(window),
    forMs: parseDuration(rule.for),
    keepFiringForMs: parseDuration(rule.keep_firing_for),
    cooldownMs: parseDuration(rule.alert_cooldown_minutes, { numberUnit: MINUTE_MS }),
    severity: rule.severity,
    actions: rule.actions,
    target: rule.target,
    times: rule.times,
    withinMs: rule.within === null ? null : parseDuration(rule.within),
  };
}

function alertPolicy({ channels, recipients }: RawPolicy['alerts']): AlertPolicy {
  const everyone = channels.map(({ name }) => name);
  return {
    channels: channels.map(({ name, type, ...options }) => ({ name, type, options })),
    recipients: {
      warning: recipients.warning ?? everyone,
      critical: recipients.critical ?? everyone,
      emergency: recipients.emergency ?? everyone,
    },
  };
}
