/**
 * memory_policy.yaml as one TypeBox type: what may stand in the file, in the file's own names, with
 * the description and default of every key. This is the only place where defaults are written;
 * docs/reference/config.md and the template of `memwarden init` are generated from it.
 */

import type { Static } from 'typebox';
import * as Type from '../typebox.ts';
import { alertsSchema } from './schema-alerts.ts';
import {
  choice,
  duration,
  flag,
  listOfValues,
  mebibytes,
  NAME_EXPECTED,
  NAME_PATTERN,
  nullable,
  percent,
  size,
  text,
  wholeNumber,
} from './schema-leaf.ts';
import { targetSchema } from './schema-target.ts';
import { DEFAULT_THRESHOLDS, thresholdSchema } from './schema-threshold.ts';

/** Actions that may be put under approval. */
const APPROVABLE = ['cleanup', 'gc', 'profile', 'snapshot', 'reap', 'restart'] as const;

/** A closed mapping that is filled with the defaults of its keys when it is left out. */
const SECTION = { additionalProperties: false, default: {} } as const;

const server = Type.Object(
  {
    host: text({ description: 'address to listen on', default: '127.0.0.1' }),
    port: wholeNumber({
      description: 'TCP port; 0 picks a free one',
      default: 8181,
      min: 0,
      max: 65535,
    }),
    token_file: nullable(text({ description: 'file with the bearer token callers must send' })),
    allowed_hosts: listOfValues(Type.String({ minLength: 1, maxLength: 255 }), {
      description: 'Host headers to accept besides the loopback names',
      default: [],
      expected: 'a list of host names',
    }),
    protect_metrics: flag({
      description: 'ask for the token on /metrics too',
      default: false,
    }),
  },
  { ...SECTION, description: 'Where memwarden listens and who may call.' },
);

const sampling = Type.Object(
  {
    interval: duration({
      description: 'time between two samples',
      default: '1s',
      min: '100ms',
      max: '60s',
    }),
    detail_interval: duration({
      description:
        'time between two rounds of swap, peak, PSS, descriptors, title and cgroup; the first three a tenth as often while RSS stands still',
      default: '30s',
      min: '100ms',
      max: '1h',
    }),
    self_budget: Type.Object(
      {
        cpu_percent: percent({ description: 'of one core', default: 2 }),
        rss: size({ description: 'resident memory', default: '150MiB' }),
      },
      { ...SECTION, description: 'What memwarden may use itself; past it, it samples less.' },
    ),
  },
  { ...SECTION, description: 'How often memory is read.' },
);

const history = Type.Object(
  {
    retention: duration({
      description: 'how far back samples are kept',
      default: '24h',
      min: '10s',
      max: '30d',
    }),
    flush: duration({
      description: 'time between two writes to disk',
      default: '10s',
      min: '100ms',
      max: '1h',
    }),
    max_memory: size({ description: 'memory for samples', default: '64MiB' }),
  },
  { ...SECTION, description: 'How much is remembered.' },
);

const budgets = Type.Object(
  {
    global: Type.Object(
      {
        max_memory_mb: nullable(mebibytes({ description: 'budget of all targets together' })),
        warning_threshold_percent: percent({
          description: 'of a budget; for services and targets too',
          default: 80,
        }),
        critical_threshold_percent: percent({
          description: 'of a budget; for services and targets too',
          default: 95,
        }),
      },
      { ...SECTION, description: 'One budget for everything, and the percents of every budget.' },
    ),
    services: Type.Record(
      Type.String({ pattern: NAME_PATTERN }),
      size({ description: 'budget of the target of this name' }),
      {
        description: 'Budgets by service: the target of the same name gets it.',
        default: {},
        example: { api: '400MiB' },
        expectedKey: NAME_EXPECTED,
      },
    ),
  },
  { ...SECTION, description: 'How much memory may be used.' },
);

const pressure = Type.Object(
  {
    warning: percent({ description: 'of the effective limit', default: 60 }),
    critical: percent({ description: 'of the effective limit', default: 80 }),
    emergency: percent({ description: 'of the effective limit', default: 95 }),
  },
  { ...SECTION, description: 'Levels of memory pressure, in percent.' },
);

const leakDetection = Type.Object(
  {
    enabled: flag({ description: 'look for leaks', default: true }),
    interval: duration({
      description: 'time between two looks',
      default: '30s',
      min: '1s',
      max: '24h',
    }),
    min_age: duration({
      description: 'age from which a process is judged',
      default: '20m',
      min: '0s',
      max: '7d',
    }),
    cleanup_at: choice(['none', 'low', 'medium', 'high', 'critical'], {
      description: 'severity that starts a cleanup; none = never',
      default: 'high',
    }),
    capture_at: choice(['none', 'low', 'medium', 'high', 'critical'], {
      description: 'severity that captures evidence; none = never',
      default: 'medium',
    }),
  },
  { ...SECTION, description: 'When growth is called a leak.' },
);

const autoCleanup = Type.Object(
  {
    interval: duration({
      description: 'time between two periodic cleanups',
      default: '10m',
      min: '1s',
      max: '7d',
    }),
    level: choice(['gentle', 'aggressive', 'emergency'], {
      description: 'level of the periodic cleanup',
      default: 'gentle',
    }),
    cooldown: duration({
      description: 'least time between two cleanups that rules start',
      default: '60s',
      min: '0s',
      max: '7d',
    }),
  },
  { ...SECTION, description: 'Cleanups that nobody asks for.' },
);

const orphans = Type.Object(
  {
    scan: duration({
      description: 'time between two searches',
      default: '30s',
      min: '1s',
      max: '24h',
    }),
    action: choice(['report', 'approve', 'reap'], {
      description: 'report them, ask before reaping, or reap them',
      default: 'report',
    }),
    kill_timeout: duration({
      description: 'time between SIGTERM and SIGKILL',
      default: '5000ms',
      min: '100ms',
      max: '10m',
    }),
  },
  { ...SECTION, description: 'Child processes that nobody owns any more.' },
);

const oversight = Type.Object(
  {
    require_approval: listOfValues(Type.Enum([...APPROVABLE]), {
      description: `actions a person must approve: ${APPROVABLE.join(', ')}`,
      default: ['reap', 'restart', 'snapshot'],
      expected: `a list of ${APPROVABLE.join(', ')}`,
    }),
    memory_percent: percent({ description: 'ask from this pressure on', default: 80 }),
    delegation_depth: wholeNumber({
      description: 'ask from this depth of delegation on',
      default: 4,
      min: 1,
      max: 100,
    }),
    expires: duration({
      description: 'how long an approval waits',
      default: '15m',
      min: '1s',
      max: '7d',
    }),
    on_expiry: choice(['deny', 'run'], { description: 'what happens then', default: 'deny' }),
  },
  { ...SECTION, description: 'What waits for a person.' },
);

const ledger = Type.Object(
  {
    retention_entries: wholeNumber({
      description: 'entries kept',
      default: 10_000,
      min: 1,
      max: 10_000_000,
    }),
    retention: duration({
      description: 'how long entries are kept',
      default: '30d',
      min: '1h',
      max: '3650d',
    }),
  },
  { ...SECTION, description: 'The record of alerts and actions.' },
);

/** The whole file. */
export const policySchema = Type.Object(
  {
    server,
    sampling,
    history,
    data_dir: text({
      description: 'Directory of the ledger and the history; made when missing.',
      default: './data',
    }),
    memory_budgets: budgets,
    targets: Type.Array(targetSchema, {
      description: 'The processes to watch, besides the host and memwarden itself.',
      default: [],
      example: [
        {
          name: 'api',
          match: { command: 'node .*server\\.js' },
          budget: '400MiB',
          cleaners: [
            { name: 'trim', level: 'aggressive', http: { url: 'http://127.0.0.1:3000/trim' } },
          ],
        },
      ],
    }),
    thresholds: Type.Array(thresholdSchema, {
      description: 'The rules; these are the defaults, and [] is none.',
      default: DEFAULT_THRESHOLDS,
    }),
    pressure,
    leak_detection: leakDetection,
    auto_cleanup: autoCleanup,
    orphans,
    alerts: alertsSchema,
    oversight,
    ledger,
  },
  { additionalProperties: false },
);

/** A valid file with every default filled in. */
export type RawPolicy = Static<typeof policySchema>;
