/**
 * Looks for the processes of targets that have none, and for new members of those that have.
 *
 * Cost: one scan of the process table serves all targets. It runs at most every 5 s, or as rarely
 * as keeps it under 0.1 % of a core, and at once after a target was found or lost. A target that
 * waits for a command line or a unit is tested against new rows only; one that waits for a pid,
 * file, port or cgroup is tried after 1, 2, 4, 8 and then every 10 s.
 */
import { describeMatch, findRoot, isInUnit, needsTable } from './finders.ts';
import { childrenByParent, descendants } from './match.ts';
import type { Target } from './target.ts';
import type { ProcessEntry, ScanWants, World } from './world.ts';

const SCAN_INTERVAL_MS = 5_000;
const SCAN_COST_FACTOR = 1_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;

interface Search {
  attempts: number;
  triedMs: number;
  /** scans that were taken into account */
  scans: number;
}

export interface Discovery {
  /** Looks for these targets now, whatever it takes. */
  lookFor(targets: readonly Target[], timeMs: number): void;
  /** A slice: goes on until `deadlineMs` of performance.now(). */
  step(targets: readonly Target[], timeMs: number, deadlineMs: number): void;
}

export function createDiscovery(world: World): Discovery {
  const { processes } = world;
  const { table } = processes;
  const searches = new WeakMap<Target, Search>();
  let scannedMs = Number.NaN;
  let scanCostMs = 0;
  let isUrgent = true;
  let turn = 0;

  const searchOf = (target: Target): Search => {
    const known = searches.get(target);
    if (known) return known;
    const search = { attempts: 0, triedMs: Number.NaN, scans: 0 };
    searches.set(target, search);
    return search;
  };

  const look = (target: Target, timeMs: number): void => {
    const { match } = target.watched;
    const search = searchOf(target);
    const fresh = needsTable(match) ? changedSince(table.entries, search.scans) : [];
    search.scans = table.scans;
    search.triedMs = timeMs;
    search.attempts++;
    const found = findRoot(match, world, fresh);
    if (typeof found === 'string') {
      target.explain(found);
      return;
    }
    // whether it can be followed or not, the next search starts from nothing
    search.scans = 0;
    if (!target.adopt(found, timeMs, `matched ${describeMatch(match)}`)) return;
    search.attempts = 0;
    isUrgent = true;
  };

  const isDue = (target: Target, timeMs: number): boolean => {
    const search = searchOf(target);
    if (needsTable(target.watched.match))
      return table.scans > search.scans || search.attempts === 0;
    const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (search.attempts - 1));
    return isPast(search.triedMs, waitMs, timeMs);
  };

  const isJustLost = (target: Target): boolean =>
    target.state.state === 'gone' && searchOf(target).attempts === 0;

  const isScanDue = (targets: readonly Target[], timeMs: number): boolean => {
    if (!table.idle) return true;
    if (!targets.some(usesTable)) return false;
    const intervalMs = Math.max(SCAN_INTERVAL_MS, SCAN_COST_FACTOR * scanCostMs);
    return isUrgent || isPast(scannedMs, intervalMs, timeMs);
  };

  const scan = (targets: readonly Target[], timeMs: number, deadlineMs: number): void => {
    if (table.idle) {
      scanCostMs = 0;
      scannedMs = timeMs;
      isUrgent = false;
    }
    const beganMs = performance.now();
    const isFinished = table.step(wantsOf(targets), deadlineMs);
    scanCostMs += performance.now() - beganMs;
    if (isFinished) joinMembers(targets, world);
  };

  return {
    lookFor(targets, timeMs) {
      if (targets.some(({ watched }) => needsTable(watched.match))) scan(targets, timeMs, Infinity);
      for (const target of targets) look(target, timeMs);
    },
    step(targets, timeMs, deadlineMs) {
      const missing = targets.filter(({ tree }) => tree === null);
      if (missing.some(isJustLost)) isUrgent = true;
      if (isScanDue(targets, timeMs)) scan(targets, timeMs, deadlineMs);
      for (let i = 0; i < missing.length; i++) {
        turn = (turn + 1) % missing.length;
        const target = missing[turn]!;
        if (target.tree !== null || !isDue(target, timeMs)) continue;
        look(target, timeMs);
        if (performance.now() >= deadlineMs) break;
      }
    },
  };
}

const usesTable = ({ watched: { match, includeChildren }, tree }: Target): boolean =>
  tree === null ? needsTable(match) : includeChildren || 'cgroup' in match || 'unit' in match;

const wantsOf = (targets: readonly Target[]): ScanWants => ({
  command: targets.some(({ watched }) => 'command' in watched.match),
  cgroup: targets.some(({ watched }) => 'unit' in watched.match),
});

const changedSince = (entries: ReadonlyMap<number, ProcessEntry>, scans: number): ProcessEntry[] =>
  [...entries.values()].filter((entry) => entry.changedAtScan >= scans);

/** Also past when the clock went back, or nothing was done yet. */
const isPast = (sinceMs: number, intervalMs: number, nowMs: number): boolean =>
  !(nowMs - sinceMs < intervalMs && nowMs >= sinceMs);

const NOBODY: readonly number[] = [];

/** After a scan: new children, and new processes in a target's cgroup or unit. */
function joinMembers(targets: readonly Target[], world: World): void {
  const { processes, cgroups } = world;
  const { entries } = processes.table;
  const children = childrenByParent(entries.values());
  for (const { watched, tree } of targets) {
    if (tree === null) continue;
    const { match } = watched;
    const isWhole = 'cgroup' in match || 'unit' in match;
    const hasChildren =
      watched.includeChildren && tree.members.some(({ pid }) => children.has(pid));
    if (!isWhole && !hasChildren) {
      tree.join(NOBODY);
      continue;
    }
    const inCgroup = 'cgroup' in match ? cgroups.members(match.cgroup) : [];
    const members = typeof inCgroup === 'string' ? [] : inCgroup;
    const rows = 'unit' in match ? unitRows(entries.values(), match.unit) : [];
    if (watched.includeChildren) {
      const roots = [...tree.members, ...rows].map(({ pid }) => pid);
      rows.push(...descendants([...roots, ...members], children));
    }
    // a row may still be of a predecessor of its pid
    const sure = rows.filter(
      ({ pid, startKey }) => !tree.has(pid) && processes.startKeyOf(pid) === startKey,
    );
    tree.join([...members, ...sure.map(({ pid }) => pid)]);
  }
}

const unitRows = (rows: Iterable<ProcessEntry>, unit: string): ProcessEntry[] =>
  [...rows].filter(({ cgroup }) => cgroup !== null && isInUnit(cgroup, unit));
