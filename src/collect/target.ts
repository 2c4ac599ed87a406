/**
 * One watched target: who it is, what it last measured, and whether it is there.
 *
 * States: `waiting` until its process was found once, `running`, `gone` after its root ended; a
 * gone target runs again under the next generation when another process takes its place.
 * Identity: boot id, pid and start time. The command line is compared as well before anyone acts,
 * and not part of the identity, because a process may change its title and is still the same.
 */
import type { TargetPolicy } from '../policy/policy.ts';
import { OWN_SERIES } from './own-process.ts';
import { PROCESS_SERIES } from './process-series.ts';
import { createProcessTree, type ProcessTree } from './process-tree.ts';
import type { CollectEvent, TargetState } from './reading.ts';
import type { SeriesBlock, SeriesTable } from './series-table.ts';
import type { CgroupView, ProcessOwner, PssTurn, World } from './world.ts';

/** What of a target's policy matters here. */
export type WatchedTarget = Pick<TargetPolicy, 'name' | 'match' | 'includeChildren'>;

const CGROUP_SERIES = ['cgroup_usage_bytes', 'cgroup_working_set_bytes'] as const;

export interface Target extends ProcessOwner {
  readonly watched: WatchedTarget;
  readonly state: TargetState;
  /** null unless running */
  readonly tree: ProcessTree | null;
  /** or why there is none */
  readonly cgroup: CgroupView | string;
  readonly blocks: readonly SeriesBlock[];
  readonly ownBlock: SeriesBlock | null;
  /** Takes a process as the root; false, with the reason in `state`, when it cannot. */
  adopt(pid: number, timeMs: number, reason: string): boolean;
  /** Says why a target that is not running is not. */
  explain(reason: string): void;
  /** Takes over what was just sampled of its cgroup. */
  measureCgroup(): void;
  /** Goes on with a pass over the slow figures; true when it is complete. */
  inspect(turn: PssTurn): boolean;
  /** null unless the root is provably still the process it was. Reads /proc now. */
  identify(): { pid: number; identity: string } | null;
  close(): void;
}

export interface TargetOptions {
  readonly watched: WatchedTarget;
  readonly world: World;
  readonly table: SeriesTable;
  onEvent(event: CollectEvent): void;
}

export function createTarget({ watched, world, table, onEvent }: TargetOptions): Target {
  const { processes, cgroups } = world;
  const { name, match } = watched;
  const isByPid = 'pid' in match || 'pidFile' in match;
  const processBlock = table.block(name, PROCESS_SERIES);
  let ownBlock = 'self' in match ? table.block(name, OWN_SERIES) : null;
  let cgroupBlock: SeriesBlock | null = null;
  let tree: ProcessTree | null = null;
  let cgroup: CgroupView | string = 'the process is not running';
  let current: TargetState = {
    name,
    state: 'waiting',
    pid: null,
    generation: 0,
    identity: null,
    sinceMs: null,
    startedMs: null,
    processes: 0,
    command: null,
    reason: 'not looked for yet',
  };

  const blocks = (): SeriesBlock[] =>
    [processBlock, cgroupBlock, ownBlock].filter((block) => block !== null);

  const tell = (kind: CollectEvent['kind'], timeMs: number, reason: string): void => {
    const { pid, identity, generation } = current;
    if (pid === null || identity === null) return;
    onEvent({ kind, target: name, pid, generation, identity, timeMs, reason });
  };

  const leaveCgroup = (reason: string): void => {
    if (typeof cgroup !== 'string') cgroups.release(cgroup);
    cgroup = reason;
  };

  const enterCgroup = (pid: number, timeMs: number): void => {
    const next = cgroups.open(pid, timeMs);
    leaveCgroup('');
    cgroup = next;
    if (typeof next !== 'string') cgroupBlock ??= table.block(name, CGROUP_SERIES);
  };

  const lose = (timeMs: number): void => {
    tree?.close();
    tree = null;
    leaveCgroup('the process is not running');
    processBlock.clear();
    cgroupBlock?.clear();
    const reason = `process ${current.pid} has ended`;
    const ended = { sinceMs: timeMs, startedMs: null, processes: 0, reason };
    current = { ...current, state: 'gone', ...ended };
    tell('gone', timeMs, reason);
  };

  const measureCgroup = (): void => {
    if (cgroupBlock === null) return;
    const level = typeof cgroup === 'string' ? undefined : cgroup.levels[0];
    cgroupBlock.set(0, level?.usageBytes ?? Number.NaN);
    cgroupBlock.set(1, level?.workingSetBytes ?? Number.NaN);
  };

  const begin = (running: ProcessTree, command: string, timeMs: number, reason: string): void => {
    const { pid, startKey } = running.root;
    const identity = `${processes.bootId}:${pid}:${startKey}`;
    const isAnother = current.identity !== null && current.identity !== identity;
    const generation = current.generation + (current.identity === identity ? 0 : 1);
    tree = running;
    current = {
      name,
      state: 'running',
      pid,
      generation,
      identity,
      sinceMs: timeMs,
      startedMs: processes.startedMs(startKey),
      processes: 1,
      command,
      reason: null,
    };
    tell(isAnother ? 'restarted' : 'found', timeMs, reason);
  };

  const settle = (timeMs: number): void => {
    if (tree !== null && !tree.sum()) lose(timeMs);
  };

  const explain = (reason: string): void => {
    if (tree === null) current = { ...current, reason };
  };

  /** A recycled pid is not the process that was meant; the same program under it again is. */
  const isRecycled = (pid: number, command: string): boolean =>
    isByPid && current.pid === pid && command !== '' && current.command !== command;

  return {
    watched,
    explain,
    get state() {
      return tree === null ? current : { ...current, processes: tree.members.length };
    },
    get tree() {
      return tree;
    },
    get cgroup() {
      return cgroup;
    },
    get blocks() {
      return blocks();
    },
    get ownBlock() {
      return ownBlock;
    },
    adopt(pid, timeMs, reason) {
      const command = processes.commandOf(pid);
      if (isRecycled(pid, command)) {
        explain(`pid ${pid} now belongs to another program`);
        return false;
      }
      const owner = { settle };
      const root = processes.track(pid, owner);
      if ('gone' in root) {
        explain(root.reason);
        return false;
      }
      if (pid === process.pid) ownBlock ??= table.block(name, OWN_SERIES);
      const figures = processBlock;
      begin(createProcessTree({ root, processes, owner, figures }), command, timeMs, reason);
      enterCgroup(pid, timeMs);
      settle(timeMs);
      return true;
    },
    settle,
    measureCgroup,
    inspect(turn) {
      if (tree === null) return true;
      if (!tree.inspect(turn)) return false;
      const { pid } = tree.root;
      const command = processes.commandOf(pid);
      if (command !== '') current = { ...current, command };
      enterCgroup(pid, turn.timeMs);
      if (typeof cgroup !== 'string') cgroups.refreshLimits(cgroup, turn.timeMs, turn.intervalMs);
      return true;
    },
    identify() {
      const { pid, identity, command } = current;
      if (tree === null || pid === null || identity === null) return null;
      const isSame = processes.startKeyOf(pid) === tree.root.startKey;
      return isSame && processes.commandOf(pid) === command ? { pid, identity } : null;
    },
    close() {
      tree?.close();
      tree = null;
      leaveCgroup('the process is not running');
      for (const block of blocks()) block.close();
    },
  };
}
