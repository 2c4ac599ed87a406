/** The report on the wire. */
import type { Static } from 'typebox';
import * as Type from '../typebox.ts';
import { maybeTime, num, orNull, text, time } from './schema-parts.ts';
import type { ReadingWire, RuleWire, TargetWire } from './schemas.ts';

const LimitSchema = Type.Object({
  kind: Type.String({ description: 'v8_heap, cgroup, budget or host' }),
  name: Type.String(),
  limit_bytes: num('The limit'),
  usage_bytes: num('What counts against it'),
  headroom_bytes: num('What is left'),
  used_percent: num('Share used'),
});

const BudgetSchema = Type.Object({
  status: Type.String({ description: 'ok, warning, critical or unknown' }),
  max_bytes: Type.Number(),
  used_percent: num('RSS + swap over the budget; for the global one, RSS of all targets'),
});

const CleanerSchema = Type.Object({
  cleaner: Type.String(),
  target: Type.String(),
  runs: Type.Integer({ description: 'Since the start, skipped turns apart' }),
  ok: Type.Integer(),
  failed: Type.Integer(),
  timed_out: Type.Integer(),
  freed_bytes_total: Type.Integer(),
  last_freed_bytes: num('In its last run; negative when the target grew meanwhile'),
  last_run: maybeTime('When it last ran'),
  last_error: text('What went wrong in its last run'),
});
export type CleanerWire = Static<typeof CleanerSchema>;

export const StatusSchema = Type.Object(
  {
    status: Type.String({
      description:
        'ok, warning, critical, emergency or unknown: of the target that was asked for, else the worst of all',
    }),
    summary: Type.String({ description: 'One sentence for a tired reader' }),
    timestamp: time('Time of the last sample'),
    target: Type.String(),
    version: Type.String(),
    current: Type.Ref('MemwardenReading'),
    trend: Type.Object({
      direction: Type.String({ description: 'stable, increasing, decreasing or unknown' }),
      slope_mb_per_hour: num('Theil–Sen slope of RSS, MiB/h'),
      low_mb_per_hour: num('Lower end of its 95 % interval'),
      high_mb_per_hour: num('Upper end of its 95 % interval'),
      p_value: num('Mann–Kendall, corrected for autocorrelation'),
      window_seconds: Type.Number(),
      reason: text('Why it is unknown'),
    }),
    thresholds: Type.Array(Type.Ref('MemwardenRule')),
    history: Type.Object({
      from: maybeTime('Oldest sample'),
      to: maybeTime('Newest sample'),
      series: Type.Integer(),
      bytes: Type.Integer({ description: 'Memory held by history' }),
      max_bytes: Type.Integer(),
      persistent: Type.Boolean({ description: 'Survives a restart' }),
      resolution: Type.Array(
        Type.Object({ step_seconds: Type.Number(), from: time('Oldest'), to: time('Newest') }),
      ),
      dropped_segments: Type.Integer({ description: 'Torn or corrupt rows left out at start' }),
    }),
    limits: Type.Object({
      binding: orNull(LimitSchema),
      all: Type.Array(LimitSchema),
      explanation: Type.String(),
    }),
    pressure: Type.Object({ level: Type.String(), percent: num('Of the effective limit') }),
    budget: orNull(BudgetSchema),
    global_budget: orNull(BudgetSchema),
    leak: Type.Null({ description: 'Verdicts are not available yet' }),
    diagnosis: Type.Null({ description: 'Not available yet' }),
    targets: Type.Array(Type.Ref('MemwardenTarget')),
    alerts: Type.Array(Type.Ref('MemwardenRule')),
    cleaners: Type.Array(CleanerSchema),
    self: Type.Object({
      uptime_seconds: Type.Number(),
      cpu_percent: num('Of one core, over the last 30 s'),
      rss_bytes: num('Own resident set'),
      sampling_percent: num('Share of a core spent in ticks'),
      samples: Type.Integer(),
      overruns: Type.Integer({ description: 'Ticks that came too late' }),
      sample_duration_ms: num('Last tick'),
      interval_seconds: Type.Number(),
      degraded: Type.Integer({ description: '0 = full rate; each step samples more rarely' }),
      reason: text('Why it is degraded'),
      warnings: Type.Array(Type.String()),
    }),
    unknown: Type.Array(Type.Object({ metric: Type.String(), reason: Type.String() })),
  },
  { $id: 'MemwardenStatus', description: 'The report' },
);
/** Static cannot follow a $ref, so the named parts are put in here. */
export type StatusWire = Omit<
  Static<typeof StatusSchema>,
  'current' | 'thresholds' | 'targets' | 'alerts'
> & {
  current: ReadingWire;
  thresholds: RuleWire[];
  targets: TargetWire[];
  alerts: RuleWire[];
};
