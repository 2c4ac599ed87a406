/** The report in a few sentences, for a tired reader. */
import { formatBytes, formatRate } from '../detect/words.ts';
import type { Warden } from '../warden.ts';
import type { RuleWire } from './schemas.ts';
import type { StatusWire } from './status-schema.ts';

/** Within this, what was done belongs to the story. */
const RECENT_MS = 3_600_000;
const MOST_NAMED = 3;

function movement(warden: Warden, { target, trend }: StatusWire): string {
  if (trend.direction === 'unknown') return 'too young for a trend';
  if (trend.direction === 'stable') return 'stable';
  const { slopeBytesPerHour } = warden.judge.trend(target, warden.lastSampleMs);
  return `${trend.direction} (${formatRate(slopeBytesPerHour)})`;
}

/** What the target holds and how that moves; all figures are of the last sample, so that they agree. */
function holdings(warden: Warden, status: StatusWire): string {
  if (status.target === 'system') return `The host, ${movement(warden, status)}.`;
  const target = status.targets.find(({ name }) => name === status.target);
  if (target && target.state !== 'running')
    return `${target.name} is ${target.state}: ${target.reason}.`;
  const held =
    target?.rss_bytes == null
      ? 'holds what the next sample will say'
      : `holds ${formatBytes(target.rss_bytes)}, ${movement(warden, status)}`;
  return `${status.target} ${held}. ${status.limits.explanation}.`;
}

/** The other targets that are not running, a few by name. */
function missing({ target, targets }: StatusWire): string {
  const gone = targets.filter(({ name, state }) => name !== target && state !== 'running');
  if (gone.length === 0) return '';
  const more = gone.length > MOST_NAMED ? ` and ${gone.length - MOST_NAMED} more` : '';
  return ` Not running: ${gone
    .slice(0, MOST_NAMED)
    .map(({ name }) => name)
    .join(', ')}${more}.`;
}

/** What was done last, while it is recent: the cleaner that freed something, and one that failed. */
function done({ cleaners, timestamp }: StatusWire): string {
  const recent = cleaners
    .map((cleaner) => ({
      ...cleaner,
      ageMs: Date.parse(timestamp) - Date.parse(String(cleaner.last_run)),
    }))
    .filter(({ ageMs }) => ageMs < RECENT_MS)
    .sort((a, b) => a.ageMs - b.ageMs);
  const freed = recent.find((each) => !each.last_error && (each.last_freed_bytes ?? 0) > 0);
  const failed = recent.find((each) => each.last_error !== null);
  return [
    freed &&
      ` Cleaned at ${freed.last_run}: ${freed.cleaner} (${freed.target}) freed ${formatBytes(freed.last_freed_bytes ?? 0)}.`,
    failed &&
      ` Cleanup failed at ${failed.last_run}: ${failed.cleaner} (${failed.target}): ${failed.last_error}.`,
  ]
    .filter(Boolean)
    .join('');
}

/** Of the target and the host in full; of others, when one target was asked for, by name. */
function alarms({ alerts, target }: StatusWire, isWhole: boolean): string {
  const isNear = (alert: RuleWire): boolean =>
    isWhole || alert.target === target || alert.target === 'system';
  const near = alerts.filter(isNear).map((alert) => alert.message ?? alert.name);
  const far = alerts.filter((alert) => !isNear(alert)).map((alert) => alert.target);
  const here = near.length > 0 ? ` Alerts: ${near.join('; ')}.` : ' No alert.';
  return far.length === 0 ? here : `${here} Elsewhere: alerts on ${[...new Set(far)].join(', ')}.`;
}

/** A restart would forget. */
function unsaved({ history, self }: StatusWire): string {
  const trouble = self.warnings.find((warning) => warning.startsWith('disk:'));
  if (trouble) return ` History is not written (${trouble}).`;
  return history.persistent ? '' : ' History is in memory only.';
}

/** What is held and how that moves, what is not running, what alerts, what was done last, and what would be lost. */
export function summary(warden: Warden, status: StatusWire, isWhole: boolean): string {
  return [
    holdings(warden, status),
    missing(status),
    alarms(status, isWhole),
    done(status),
    unsaved(status),
  ].join('');
}
