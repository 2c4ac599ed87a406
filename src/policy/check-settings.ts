/** What must hold between the settings of sampling, history, budgets and pressure. */

import { describeValue, type Finding, type Path } from './finding.ts';
import type { RawPolicy } from './schema.ts';
import { parseDuration } from './units.ts';

/** Faults of a policy whose shape is right. */
export function checkSettings(raw: RawPolicy): Finding[] {
  const { sampling, history, memory_budgets: budgets, pressure } = raw;
  const percents = budgets.global;
  const budgetPath = ['memory_budgets', 'global'];
  return [
    ...withoutNul(['data_dir'], raw.data_dir),
    ...atMost(['sampling', 'interval'], sampling.interval, {
      limit: sampling.detail_interval,
      name: 'sampling.detail_interval',
    }),
    ...atMost(['history', 'flush'], history.flush, {
      limit: history.retention,
      name: 'history.retention',
    }),
    ...below([...budgetPath, 'warning_threshold_percent'], percents.warning_threshold_percent, {
      limit: percents.critical_threshold_percent,
      name: 'critical_threshold_percent',
    }),
    ...below(['pressure', 'warning'], pressure.warning, {
      limit: pressure.critical,
      name: 'pressure.critical',
    }),
    ...below(['pressure', 'critical'], pressure.critical, {
      limit: pressure.emergency,
      name: 'pressure.emergency',
    }),
  ];
}

/** No file system has it in a name. */
function withoutNul(path: Path, text: string): Finding[] {
  if (!text.includes('\0')) return [];
  return [{ path, expected: 'a path without NUL', got: describeValue(text) }];
}

interface Bound<Value> {
  readonly limit: Value;
  readonly name: string;
}

function atMost(path: Path, duration: string, { limit, name }: Bound<string>): Finding[] {
  if (parseDuration(duration) <= parseDuration(limit)) return [];
  return [{ path, expected: `at most ${name} (${limit})`, got: duration }];
}

function below(path: Path, percent: number, { limit, name }: Bound<number>): Finding[] {
  if (percent < limit) return [];
  return [{ path, expected: `less than ${name} (${limit})`, got: String(percent) }];
}
