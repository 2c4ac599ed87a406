/** The report in a few sentences, for a tired reader. */
import { formatBytes, formatRate } from '../detect/words.ts';
import type { Warden } from '../warden.ts';
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

/** The last cleaner that freed something, or that ran at all, while it is recent. */
function done({ cleaners, timestamp }: StatusWire): string {
  const recent = cleaners
    .map((cleaner) => ({
      ...cleaner,
      ageMs: Date.parse(timestamp) - Date.parse(String(cleaner.last_run)),
    }))
    .filter(({ ageMs }) => ageMs < RECENT_MS)
    .sort((a, b) => a.ageMs - b.ageMs);
  const worth = recent.find(({ last_freed_bytes: freed }) => (freed ?? 0) > 0);
  const last = worth ?? recent[0];
  if (last === undefined) return '';
  const freed = worth ? formatBytes(worth.last_freed_bytes ?? 0) : 'nothing that could be seen';
  return ` Cleaned at ${last.last_run}: ${last.cleaner} (${last.target}) freed ${freed}.`;
}

/** What is held and how that moves, what is not running, what alerts, and what was done last. */
export function summary(warden: Warden, status: StatusWire): string {
  const alerts = status.alerts.map((alert) => alert.message ?? alert.name);
  const said = alerts.length > 0 ? ` Alerts: ${alerts.join(' ')}` : ' No alert.';
  return `${holdings(warden, status)}${missing(status)}${said}${done(status)}`;
}
