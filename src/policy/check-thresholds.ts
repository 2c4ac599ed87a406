/** What must hold within and between the rules. */

import { checkDuplicates } from './check-duplicates.ts';
import type { Finding, Path } from './finding.ts';
import type { RawPolicy } from './schema.ts';
import { DEFAULT_WINDOW } from './schema-threshold.ts';
import { parseDuration } from './units.ts';

type RawThreshold = RawPolicy['thresholds'][number];

/** Comparisons with the past, and so with a window. */
const WINDOWED: readonly string[] = ['percent_change', 'rate_per_hour'];

/** How far a rule looks back, as a duration; null when it does not. */
export function windowOf({ comparison, window }: RawThreshold): string | null {
  return WINDOWED.includes(comparison) ? (window ?? DEFAULT_WINDOW) : null;
}

/** Faults of a policy whose shape is right, and whose file has rules of its own. */
export function checkThresholds({ thresholds, sampling, history }: RawPolicy): Finding[] {
  const bounds = { intervalMs: parseDuration(sampling.interval), retention: history.retention };
  return [
    ...checkDuplicates(['thresholds'], thresholds),
    ...thresholds.flatMap((rule, index) => {
      const path = ['thresholds', index];
      return [
        ...checkValues(rule, path),
        ...checkWindow(rule, path, bounds.retention),
        ...checkTimes(rule, path, bounds.intervalMs),
      ];
    }),
  ];
}

function checkValues(rule: RawThreshold, path: Path): Finding[] {
  const { comparison, threshold_value: threshold, clear_value: clear } = rule;
  if (comparison === 'absent') {
    return (['threshold_value', 'clear_value'] as const)
      .filter((key) => rule[key] !== undefined)
      .map((key) => ({
        path: [...path, key],
        expected: 'no such key: absent compares with nothing',
        got: String(rule[key]),
      }));
  }
  if (threshold === undefined) {
    return [{ path: [...path, 'threshold_value'], expected: 'a number', got: 'nothing' }];
  }
  if (clear === undefined) return [];
  const isBeyond = comparison === 'less_than' ? clear < threshold : clear > threshold;
  if (!isBeyond) return [];
  const bound = comparison === 'less_than' ? 'at least' : 'at most';
  const expected = `${bound} threshold_value (${threshold})`;
  return [{ path: [...path, 'clear_value'], expected, got: String(clear) }];
}

function checkWindow(rule: RawThreshold, path: Path, retention: string): Finding[] {
  const window = windowOf(rule);
  if (window === null) {
    if (rule.window === undefined) return [];
    const expected = `no such key: only ${WINDOWED.join(' and ')} look back`;
    return [{ path: [...path, 'window'], expected, got: rule.window }];
  }
  if (parseDuration(window) <= parseDuration(retention)) return [];
  const expected = `at most history.retention (${retention})`;
  return [{ path: [...path, 'window'], expected, got: window }];
}

function checkTimes({ times, within }: RawThreshold, path: Path, intervalMs: number): Finding[] {
  if (times === null && within === null) return [];
  if (times === null || within === null) {
    const [missing, given] = times === null ? ['times', 'within'] : ['within', 'times'];
    return [{ path: [...path, given], expected: `${missing} beside it`, got: `${given} alone` }];
  }
  const leastMs = (times - 1) * intervalMs;
  if (leastMs <= parseDuration(within)) return [];
  const expected = `room for ${times} samples at sampling.interval`;
  return [{ path: [...path, 'within'], expected, got: within }];
}
