/**
 * The names a rule may watch (`metric_key`) and the series of history they are read from.
 *
 * Every name that is not in the list is a custom gauge of the target: `chat_sessions` and
 * `custom.chat_sessions` are the same one.
 */

/** A rule's value is `raw * scale + offset` of this series; NaN scale = the whole is not known. */
export interface MetricRef {
  readonly scope: 'target' | 'system';
  readonly series: string;
  readonly scale: number;
  readonly offset: number;
  /** 'MiB' (which the names of the metrics call mb), '%', 'ms' or '' */
  readonly unit: string;
}

/** The wholes that percentages are taken of, in bytes; NaN when not known. */
export interface MetricFacts {
  readonly systemTotalBytes: number;
  readonly heapLimitBytes: number;
}

export interface MetricKey {
  readonly key: string;
  readonly scope: 'target' | 'system';
  readonly series: string;
  readonly unit: string;
  readonly description: string;
  /** a fixed factor, or the whole that the value is a percentage of */
  readonly scale: number | keyof MetricFacts;
}

const TO_MIB = 1 / 2 ** 20;
const HUNDREDTH = 0.01;

/** Every built-in metric key, in the order of the reference. */
export const METRIC_KEYS: readonly MetricKey[] = [
  {
    key: 'process_memory_mb',
    scope: 'target',
    series: 'rss_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'resident memory of the whole target',
  },
  {
    key: 'process_swap_mb',
    scope: 'target',
    series: 'swap_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'memory of the target that is swapped out',
  },
  {
    key: 'process_pss_mb',
    scope: 'target',
    series: 'pss_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'resident memory of the target, shared pages divided among their users',
  },
  {
    key: 'heap_used_mb',
    scope: 'target',
    series: 'heap_used_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'JavaScript heap in use',
  },
  {
    key: 'heap_total_mb',
    scope: 'target',
    series: 'heap_total_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'JavaScript heap reserved',
  },
  {
    key: 'heap_used_percent',
    scope: 'target',
    series: 'heap_used_bytes',
    scale: 'heapLimitBytes',
    unit: '%',
    description: 'JavaScript heap in use, of the V8 heap limit',
  },
  {
    key: 'external_mb',
    scope: 'target',
    series: 'external_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'memory outside the heap that JavaScript objects hold',
  },
  {
    key: 'array_buffers_mb',
    scope: 'target',
    series: 'array_buffers_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'ArrayBuffers and Buffers, a part of external_mb',
  },
  {
    key: 'cgroup_usage_mb',
    scope: 'target',
    series: 'cgroup_usage_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'memory charged to the cgroup of the target, with page cache',
  },
  {
    key: 'cgroup_working_set_mb',
    scope: 'target',
    series: 'cgroup_working_set_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'the same without inactive page cache',
  },
  {
    key: 'threads',
    scope: 'target',
    series: 'threads',
    scale: 1,
    unit: '',
    description: 'threads of the whole target',
  },
  {
    key: 'open_fds',
    scope: 'target',
    series: 'open_fds',
    scale: 1,
    unit: '',
    description: 'open file descriptors of the target',
  },
  {
    key: 'processes',
    scope: 'target',
    series: 'processes',
    scale: 1,
    unit: '',
    description: 'processes of the target',
  },
  {
    key: 'event_loop_delay_ms',
    scope: 'target',
    series: 'event_loop_delay_us',
    scale: 0.001,
    unit: 'ms',
    description: 'worst delay of the event loop since the last sample',
  },
  {
    key: 'pressure_percent',
    scope: 'target',
    series: 'pressure_basis_points',
    scale: HUNDREDTH,
    unit: '%',
    description: 'use of the effective limit, the one with the least headroom',
  },
  {
    key: 'budget_percent',
    scope: 'target',
    series: 'budget_basis_points',
    scale: HUNDREDTH,
    unit: '%',
    description: 'use of the memory budget of the target',
  },
  {
    key: 'system_memory_percent',
    scope: 'system',
    series: 'used_bytes',
    scale: 'systemTotalBytes',
    unit: '%',
    description: 'memory of the host in use',
  },
  {
    key: 'system_available_mb',
    scope: 'system',
    series: 'available_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'memory of the host that is available without swapping',
  },
  {
    key: 'system_swap_used_mb',
    scope: 'system',
    series: 'swap_used_bytes',
    scale: TO_MIB,
    unit: 'MiB',
    description: 'swap of the host in use',
  },
  {
    key: 'system_psi_some_percent',
    scope: 'system',
    series: 'psi_some_avg10_x100',
    scale: HUNDREDTH,
    unit: '%',
    description: 'time in which some task waited for memory, over 10 s',
  },
  {
    key: 'system_psi_full_percent',
    scope: 'system',
    series: 'psi_full_avg10_x100',
    scale: HUNDREDTH,
    unit: '%',
    description: 'time in which all tasks waited for memory, over 10 s',
  },
];

/**
 * Where the value of a `metric_key` comes from.
 *
 * @param facts a percentage of an unknown whole gets a NaN scale, so its value is unknown too
 */
export function resolveMetricKey(key: string, facts: MetricFacts): MetricRef {
  const known = METRIC_KEYS.find((candidate) => candidate.key === key);
  if (known === undefined) {
    const series = key.startsWith('custom.') ? key : `custom.${key}`;
    return { scope: 'target', series, scale: 1, offset: 0, unit: '' };
  }
  const { scope, series, unit } = known;
  const scale = typeof known.scale === 'number' ? known.scale : percentOf(facts[known.scale]);
  return { scope, series, scale, offset: 0, unit };
}

function percentOf(wholeBytes: number): number {
  return wholeBytes > 0 && wholeBytes < Infinity ? 100 / wholeBytes : NaN;
}
