/**
 * The policy every room receives: validated, normalised to milliseconds and bytes, and frozen.
 * `load.ts` makes it from memory_policy.yaml, the environment and flags; nothing else does.
 */

export type Severity = 'warning' | 'critical' | 'emergency';
export type CleanupLevel = 'gentle' | 'aggressive' | 'emergency';
export type LeakSeverity = 'none' | 'low' | 'medium' | 'high' | 'critical';

export const COMPARISONS = [
  'greater_than',
  'less_than',
  'percent_change',
  'rate_per_hour',
  'absent',
] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface ServerPolicy {
  readonly host: string;
  readonly port: number;
  readonly tokenFile: string | null;
  /** Read from MEMWARDEN_TOKEN or `token_file` at start; never printed. */
  readonly token: string | null;
  readonly allowedHosts: readonly string[];
  readonly protectMetrics: boolean;
}

export interface SamplingPolicy {
  readonly intervalMs: number;
  readonly detailIntervalMs: number;
  readonly selfBudget: { readonly cpuPercent: number; readonly rssBytes: number };
}

export interface HistoryPolicy {
  readonly retentionMs: number;
  readonly flushMs: number;
  readonly maxMemoryBytes: number;
}

export interface BudgetPercents {
  readonly warningPercent: number;
  readonly criticalPercent: number;
}

export interface BudgetPolicy extends BudgetPercents {
  readonly maxBytes: number;
}

/** Finds a process by its command line. What the policy holds takes linear time; a RegExp fits too. */
export interface CommandPattern {
  readonly source: string;
  test(command: string): boolean;
}

/** How a target is found. Exactly one key is set. */
export type Match =
  | { readonly self: true }
  | { readonly pid: number }
  | { readonly pidFile: string }
  | { readonly command: CommandPattern }
  | { readonly port: number }
  | { readonly cgroup: string }
  | { readonly unit: string };

export interface RolePolicy {
  readonly role: string;
  readonly match: CommandPattern;
  readonly maxCount: number | null;
  readonly memoryBytes: number | null;
}

/** A cleaner a policy asks for. Exactly one of the five ways to act is set. */
export interface CleanerPolicy {
  readonly name: string;
  readonly level: CleanupLevel;
  readonly timeoutMs: number;
  readonly http: { readonly url: string; readonly method: string } | null;
  readonly signal: NodeJS.Signals | null;
  readonly gc: boolean;
  /** argv, run without a shell */
  readonly command: readonly string[] | null;
  /** bytes to ask of cgroup v2 memory.reclaim */
  readonly reclaimBytes: number | null;
}

export interface RestartPolicy {
  readonly command: readonly string[];
  readonly when: string;
  readonly maxRestarts: number;
  readonly withinMs: number;
}

export interface TargetPolicy {
  readonly name: string;
  readonly match: Match;
  readonly includeChildren: boolean;
  readonly budget: BudgetPolicy | null;
  readonly attach: boolean;
  readonly roles: readonly RolePolicy[];
  readonly cleaners: readonly CleanerPolicy[];
  readonly restart: RestartPolicy | null;
}

export interface RulePolicy {
  readonly name: string;
  /** see detect/metric-key.ts for the names */
  readonly metricKey: string;
  readonly comparison: Comparison;
  readonly threshold: number;
  /** value to cross back before the rule resolves; the threshold when not set */
  readonly clearValue: number;
  readonly windowMs: number;
  /** must hold this long at every evaluation before it fires */
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly cooldownMs: number;
  readonly severity: Severity;
  /** `notify`, `cleanup:gentle`, `cleanup:aggressive`, `cleanup:emergency` */
  readonly actions: readonly string[];
  /** null = every target that has the metric */
  readonly target: string | null;
  /** X of Y: breached at least `times` times within `withinMs`; null = every evaluation */
  readonly times: number | null;
  readonly withinMs: number | null;
}

export interface PressurePolicy {
  readonly warningPercent: number;
  readonly criticalPercent: number;
  readonly emergencyPercent: number;
}

export interface LeakPolicy {
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly minAgeMs: number;
  readonly cleanupAt: LeakSeverity;
  readonly captureAt: LeakSeverity;
}

export interface AutoCleanupPolicy {
  readonly intervalMs: number;
  readonly level: CleanupLevel;
  readonly cooldownMs: number;
}

export interface OrphanPolicy {
  readonly scanMs: number;
  readonly action: 'report' | 'approve' | 'reap';
  readonly killTimeoutMs: number;
}

export interface ChannelPolicy {
  readonly name: string;
  readonly type: 'log' | 'webhook' | 'alertmanager' | 'email' | 'slack' | 'a2a';
  /** the remaining keys, as validated for the type */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface AlertPolicy {
  readonly channels: readonly ChannelPolicy[];
  readonly recipients: Readonly<Record<Severity, readonly string[]>>;
}

export interface OversightPolicy {
  readonly requireApproval: readonly string[];
  readonly memoryPercent: number;
  readonly delegationDepth: number;
  readonly expiresMs: number;
  readonly onExpiry: 'deny' | 'run';
}

export interface LedgerPolicy {
  readonly retentionEntries: number;
  readonly retentionMs: number;
}

export interface Policy {
  /** file it came from, or null when only defaults, environment and flags were used */
  readonly source: string | null;
  readonly server: ServerPolicy;
  readonly sampling: SamplingPolicy;
  readonly history: HistoryPolicy;
  readonly dataDir: string;
  readonly globalBudget: BudgetPolicy | null;
  /** for every budget, also one that is set later, such as a registered service's */
  readonly budgetPercents: BudgetPercents;
  /** budgets by service name; they apply to the target of the same name */
  readonly serviceBudgets: ReadonlyMap<string, BudgetPolicy>;
  readonly targets: readonly TargetPolicy[];
  readonly rules: readonly RulePolicy[];
  readonly pressure: PressurePolicy;
  readonly leak: LeakPolicy;
  readonly autoCleanup: AutoCleanupPolicy;
  readonly orphans: OrphanPolicy;
  readonly alerts: AlertPolicy;
  readonly oversight: OversightPolicy;
  readonly ledger: LedgerPolicy;
  /** keys that are accepted and validated, and that this version does not act on yet */
  readonly notAvailableYet: readonly string[];
  /** what is allowed and probably not meant, such as a recipient that is no channel; to be logged */
  readonly warnings: readonly string[];
}
