/** A target on the wire. */
import type { TargetState } from '../collect/reading.ts';
import type { Warden } from '../warden.ts';
import { finite, timeOrNull } from './reading-view.ts';
import type { TargetWire } from './schemas.ts';

export function targetView(warden: Warden, state: TargetState): TargetWire {
  const column = warden.collector.series(state.name).get('rss_bytes') ?? -1;
  // the row is of the last sample, and the end may have been seen since
  const rss = state.state === 'running' ? (warden.row[column] ?? Number.NaN) : Number.NaN;
  return {
    name: state.name,
    state: state.state,
    pid: state.pid,
    generation: state.generation,
    since: timeOrNull(state.sinceMs),
    processes: state.processes,
    command: state.command,
    reason: state.reason ?? (Number.isNaN(rss) ? 'not sampled yet' : null),
    rss_bytes: finite(rss),
    pressure: warden.judge.assessment(state.name)?.pressure ?? 'unknown',
    registered: warden.services.has(state.name),
  };
}
