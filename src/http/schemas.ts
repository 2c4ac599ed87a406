import type { Static, TSchema } from 'typebox';
import { GAUGE_NAME, GAUGE_NAME_RULE } from '../collect/gauges.ts';
import * as Type from '../typebox.ts';
import { maybeTime, num, numbers, orNull, text, time } from './schema-parts.ts';
import { StatusSchema } from './status-schema.ts';

/**
 * The shapes on the wire, snake_case as in the contract. Each is named ($id), so that OpenAPI
 * shows a component and not a copy; with our name in front, because a host application may well have
 * a Status of its own.
 */
export const LevelEnum = Type.Unsafe<'gentle' | 'aggressive' | 'emergency'>({
  type: 'string',
  enum: ['gentle', 'aggressive', 'emergency'],
});

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'MEM_* code; docs/reference/errors.md lists them' }),
    detail: Type.String({ description: 'What was wrong and what to do' }),
    instance: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() })),
    ),
  },
  { $id: 'MemwardenProblem', description: 'RFC 9457 problem details' },
);

export const ReadingSchema = Type.Object(
  {
    timestamp: time('When the reading was taken'),
    target: Type.String(),
    process_memory_mb: num('RSS of the process tree, MiB'),
    system_memory_percent: num('Used share of the host memory (total − available)'),
    heap_objects: num('Objects on the JS heap; null until something counted them'),
    custom_metrics: numbers('Application gauges, by name'),
    process: orNull(
      Type.Object({
        pid: Type.Integer(),
        rss_bytes: num('Resident set of the whole tree'),
        pss_bytes: num('Proportional set size, from the last detail reading'),
        swap_bytes: num('Swapped out'),
        peak_rss_bytes: num('High-water mark of the root process'),
        cpu_seconds: num('User + system time of the tree since each process began'),
        threads: num('Threads'),
        open_fds: num('Open descriptors'),
        processes: num('Processes in the tree'),
      }),
    ),
    heap: orNull(
      Type.Object({
        used_bytes: num('Live and not yet collected objects'),
        total_bytes: num('Heap reserved from the system'),
        limit_bytes: num('V8 heap limit: the true denominator'),
        external_bytes: num('Memory of C++ objects bound to JS objects'),
        array_buffers_bytes: num('ArrayBuffers and Buffers'),
        spaces: numbers('Bytes used per V8 heap space'),
      }),
    ),
    gc: orNull(
      Type.Object({
        minor_count: num('Scavenges since start'),
        major_count: num('Mark-compacts since start'),
        pause_seconds_total: num('Time spent in GC'),
        effectiveness_percent: num(
          'Share of the growth since the last floor that major GCs gave back',
        ),
      }),
    ),
    system: Type.Object({
      total_bytes: num('Host memory'),
      available_bytes: num('Available without swapping'),
      used_percent: num('Used share'),
      swap_used_bytes: num('Swap in use'),
      psi: Type.Object({
        some_avg10: num('Share of the last 10 s in which some task waited for memory, %'),
        full_avg10: num('Share of the last 10 s in which all tasks waited, %'),
      }),
    }),
    cgroup: orNull(
      Type.Object({
        version: Type.Integer(),
        path: Type.String(),
        usage_bytes: num('Charged, page cache included'),
        working_set_bytes: num('usage − inactive_file: what the OOM killer looks at'),
        limit_bytes: num('Own limit; null when there is none'),
        oom_kills: num('OOM kills in this cgroup'),
      }),
    ),
    unknown: Type.Array(Type.Object({ metric: Type.String(), reason: Type.String() })),
  },
  { $id: 'MemwardenReading', description: 'One reading of one target' },
);
export type ReadingWire = Static<typeof ReadingSchema>;

export const TargetSchema = Type.Object(
  {
    name: Type.String(),
    state: Type.String({ description: 'waiting, running or gone' }),
    pid: num('Root process'),
    generation: Type.Integer({ description: 'How many identities it has had' }),
    since: maybeTime('When this state began'),
    processes: num('Processes in the tree'),
    command: text('Command line of the root process'),
    reason: text('Why it is not running'),
    rss_bytes: num('Resident set of the tree at the last sample'),
    pressure: Type.String({ description: 'normal, warning, critical, emergency or unknown' }),
    registered: Type.Boolean({ description: 'It registered itself over HTTP' }),
  },
  { $id: 'MemwardenTarget' },
);
export type TargetWire = Static<typeof TargetSchema>;

export const RuleSchema = Type.Object(
  {
    id: Type.String({ description: 'Stable over restarts' }),
    name: Type.String(),
    target: Type.String(),
    metric_key: Type.String(),
    comparison: Type.String(),
    threshold_value: Type.Number(),
    unit: Type.String(),
    severity: Type.String(),
    state: Type.String({ description: 'inactive, pending, firing, resolved or unknown' }),
    value: num('The value compared, in `unit`'),
    peak: num('Worst value since it fired'),
    since: time('When this state began'),
    last_notified: maybeTime('Last notification'),
    message: text('What is wrong, in words; null while nothing is'),
  },
  { $id: 'MemwardenRule', description: 'A threshold applied to a target, and its state' },
);
export type RuleWire = Static<typeof RuleSchema>;

export const CleanupRunSchema = Type.Object(
  {
    id: Type.String(),
    level: LevelEnum,
    dry_run: Type.Boolean(),
    reason: Type.String(),
    started_at: time('When it began'),
    duration_ms: Type.Number(),
    results: Type.Array(
      Type.Object({
        cleaner: Type.String(),
        target: Type.String(),
        outcome: Type.String({ description: 'ok, failed, timed_out or skipped' }),
        freed_bytes: num('Freed, as far as known; negative when the target grew meanwhile'),
        items: num('Things dropped, when the cleaner counts them'),
        duration_ms: Type.Number(),
        error: text('What went wrong, why it was skipped, or what of its answer was ignored'),
        plan: text('What it would do; in a dry run'),
      }),
    ),
    before: Type.Union([Type.Ref('MemwardenReading'), Type.Null()]),
    after: Type.Union([Type.Ref('MemwardenReading'), Type.Null()]),
    freed_mb: num('RSS before − after, MiB; negative when it grew'),
  },
  { $id: 'MemwardenCleanupRun' },
);
export type CleanupRunWire = Omit<Static<typeof CleanupRunSchema>, 'before' | 'after'> & {
  before: ReadingWire | null;
  after: ReadingWire | null;
};

export const HistorySchema = Type.Object(
  {
    target: Type.String(),
    from: time('Start of the window'),
    to: time('End of the window'),
    t: Type.Array(Type.String({ format: 'date-time' })),
    series: Type.Unsafe<Record<string, (number | null)[] | Record<string, (number | null)[]>>>({
      type: 'object',
      description: 'A column per series; with `stat`, a column per series and statistic',
      additionalProperties: {
        anyOf: [
          { type: 'array', items: { type: ['number', 'null'] } },
          {
            type: 'object',
            additionalProperties: { type: 'array', items: { type: ['number', 'null'] } },
          },
        ],
      },
    }),
  },
  { $id: 'MemwardenHistory' },
);

export const AlertListSchema = Type.Object(
  { alerts: Type.Array(Type.Ref('MemwardenRule')) },
  { $id: 'MemwardenAlertList' },
);
export const TargetListSchema = Type.Object(
  { targets: Type.Array(Type.Ref('MemwardenTarget')) },
  { $id: 'MemwardenTargetList' },
);

/** PID_MAX_LIMIT of Linux on 64 bits */
const PID_MAX = 2 ** 22;

export const ServiceBodySchema = Type.Object(
  {
    pid: Type.Integer({
      minimum: 1,
      maximum: PID_MAX,
      description: 'Process id, as memwarden sees it',
    }),
    include_children: Type.Optional(Type.Boolean({ default: true })),
    budget: Type.Optional(Type.String({ description: 'Such as 400MiB', maxLength: 32 })),
    cleanup_url: Type.Optional(
      Type.String({ maxLength: 2048, description: 'http:// on loopback; POSTed to on cleanup' }),
    ),
    cleanup_level: Type.Optional(LevelEnum),
    metrics_address: Type.Optional(
      Type.String({
        maxLength: 256,
        pattern: '^[A-Za-z0-9.:[\\]_-]+:[0-9]{1,5}$',
        description: 'host:port for /sd/prometheus',
      }),
    ),
    metrics_path: Type.Optional(
      Type.String({ maxLength: 256, pattern: '^/', default: '/metrics' }),
    ),
  },
  { additionalProperties: false, description: 'A process that wants to be watched' },
);
export type ServiceBody = Static<typeof ServiceBodySchema>;

export const GaugesBodySchema = Type.Unsafe<Record<string, number>>({
  type: 'object',
  description: 'Gauge name → value',
  minProperties: 1,
  maxProperties: 200,
  propertyNames: { pattern: GAUGE_NAME.source, description: GAUGE_NAME_RULE },
  additionalProperties: { type: 'number' },
});

export const DiscoverySchema = Type.Array(
  Type.Object({
    targets: Type.Array(Type.String()),
    labels: Type.Record(Type.String(), Type.String()),
  }),
  { $id: 'MemwardenDiscovery', description: 'Prometheus HTTP service discovery' },
);

export const SHARED_SCHEMAS: readonly TSchema[] = [
  ProblemSchema,
  ReadingSchema,
  TargetSchema,
  RuleSchema,
  StatusSchema,
  CleanupRunSchema,
  HistorySchema,
  AlertListSchema,
  TargetListSchema,
  DiscoverySchema,
];
