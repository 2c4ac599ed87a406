import * as Type from '../typebox.ts';
import { COMPARISONS } from './policy.ts';
import {
  choice,
  duration,
  listOfValues,
  minutes,
  name,
  nullable,
  number,
  text,
  wholeNumber,
} from './schema-leaf.ts';

const ACTIONS = ['notify', 'cleanup:gentle', 'cleanup:aggressive', 'cleanup:emergency'] as const;

/** Look-back of a rule that compares with the past and names no window of its own. */
export const DEFAULT_WINDOW = '10m';

/** One entry of `thresholds`. */
export const thresholdSchema = Type.Object(
  {
    name: text({ description: 'name of the rule', max: 100 }),
    metric_key: Type.String({
      description: 'what is compared: a built-in metric or the name of a custom one',
      pattern: '^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$',
      expected: 'a metric name such as process_memory_mb',
    }),
    comparison: choice(COMPARISONS, {
      description: 'how it is compared',
      default: 'greater_than',
    }),
    threshold_value: Type.Optional(
      number({ description: 'value to compare with; not used by absent' }),
    ),
    clear_value: Type.Optional(
      number({
        description: 'value to cross back before the rule resolves; the threshold when not set',
      }),
    ),
    window: Type.Optional(
      duration({
        description: `look-back of percent_change and rate_per_hour; ${DEFAULT_WINDOW} when not set`,
        min: '1m',
        max: '30d',
      }),
    ),
    for: duration({
      description: 'must hold this long before it fires',
      default: '0s',
      min: '0s',
      max: '30d',
    }),
    keep_firing_for: duration({
      description: 'keeps firing this long after it last held',
      default: '0s',
      min: '0s',
      max: '30d',
    }),
    times: nullable(
      wholeNumber({ description: 'held so many times, with `within`', min: 1, max: 86_400 }),
    ),
    within: nullable(
      duration({ description: 'in this time, with `times`', min: '100ms', max: '30d' }),
    ),
    alert_cooldown_minutes: minutes({
      description: 'one notification in this time',
      default: 15,
      min: 0,
      max: 43_200,
    }),
    severity: choice(['warning', 'critical', 'emergency'], {
      description: 'how bad it is, and so who is told',
      default: 'warning',
    }),
    actions: listOfValues(Type.Enum([...ACTIONS]), {
      description: `what happens when it fires: ${ACTIONS.join(', ')}`,
      default: ['notify'],
      expected: `a list of ${ACTIONS.join(', ')}`,
    }),
    target: nullable(name({ description: 'only this target; null for every one with the metric' })),
  },
  { additionalProperties: false },
);

const CAPACITY_RESPONSE = {
  alert_cooldown_minutes: 15,
  severity: 'critical',
  actions: ['notify', 'cleanup:aggressive'],
};

/** The rules in force when the file has no `thresholds`; `thresholds: []` is none. */
export const DEFAULT_THRESHOLDS = [
  {
    name: 'High Process Memory',
    metric_key: 'process_memory_mb',
    comparison: 'greater_than',
    threshold_value: 1024,
    ...CAPACITY_RESPONSE,
  },
  {
    name: 'System Memory Usage',
    metric_key: 'system_memory_percent',
    comparison: 'greater_than',
    threshold_value: 85,
    ...CAPACITY_RESPONSE,
  },
  {
    name: 'Memory Growth Rate',
    metric_key: 'process_memory_mb',
    comparison: 'percent_change',
    threshold_value: 20,
    window: '10m',
    alert_cooldown_minutes: 15,
    severity: 'warning',
    actions: ['notify'],
  },
];
