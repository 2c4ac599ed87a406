/**
 * From a policy's `match` to the pid of the root process: one finder for each way to match. Each
 * answers with a pid, or with the reason why there is none yet.
 */
import type { CommandPattern, Match } from '../policy/policy.ts';
import { cgroupPaths } from './cgroup/mounts.ts';
import { oldest, withoutDescendants } from './match.ts';
import { readRegularFile } from './regular-file.ts';
import type { ProcessEntry, World } from './world.ts';

/** A pid is 7 digits at most. */
const PID_FILE_BYTES = 256;

/** Finds by looking at the whole process table. */
export const needsTable = (match: Match): boolean => 'command' in match || 'unit' in match;

/** `port 3000`, `command /node/i`; equal for equal matches. */
export const describeMatch = (match: Match): string =>
  Object.entries(match)
    .map(([key, value]) => `${key} ${value}`)
    .join();

/** The unit's own name in a cgroup path: `nginx` means `nginx.service`. */
const unitName = (unit: string): string => (unit.includes('.') ? unit : `${unit}.service`);

export function isInUnit(cgroup: string, unit: string): boolean {
  return cgroupPaths(cgroup).some((path) => path.endsWith(`/${unitName(unit)}`));
}

/** `fresh` are the rows of the process table that this target has not seen yet. */
export function findRoot(
  match: Match,
  world: World,
  fresh: readonly ProcessEntry[],
): number | string {
  const { problem } = world.processes.table;
  if (needsTable(match) && problem !== null) return problem;
  if ('self' in match) return process.pid;
  if ('pid' in match) return match.pid;
  if ('pidFile' in match) return fromPidFile(match.pidFile);
  if ('port' in match) return oldestOf(world.listeners(match.port), world);
  if ('cgroup' in match) return oldestOf(world.cgroups.members(match.cgroup), world);
  if ('unit' in match) return fromUnit(match.unit, fresh);
  return fromCommand(match.command, world, fresh);
}

function fromPidFile(path: string): number | string {
  const { text, problem } = readRegularFile(path, PID_FILE_BYTES);
  if (text === null) return `the pid file ${path}: ${problem}`;
  const pid = Number(text.trim());
  return Number.isInteger(pid) && pid > 0 ? pid : `the pid file ${path} does not hold a pid`;
}

function oldestOf(pids: readonly number[] | string, { processes }: World): number | string {
  if (typeof pids === 'string') return pids;
  const candidates = pids.map((pid) => ({ pid, startKey: processes.startKeyOf(pid) }));
  const living = candidates.filter(({ startKey }) => !Number.isNaN(startKey));
  return oldest(living)?.pid ?? 'the processes that matched have ended';
}

function fromUnit(unit: string, fresh: readonly ProcessEntry[]): number | string {
  const inUnit = fresh.filter(({ cgroup }) => cgroup !== null && isInUnit(cgroup, unit));
  return oldest(inUnit)?.pid ?? `no process is in a cgroup ending in /${unitName(unit)}`;
}

/** memwarden's own command line may well hold the pattern, so it never matches itself. */
function fromCommand(
  command: CommandPattern,
  world: World,
  fresh: readonly ProcessEntry[],
): number | string {
  const matching = fresh.filter(
    (entry) => entry.pid !== process.pid && entry.command !== null && command.test(entry.command),
  );
  const { entries } = world.processes.table;
  return oldest(withoutDescendants(matching, entries))?.pid ?? `no process matches ${command}`;
}
