/**
 * One watched target: who it is, what it last measured, and whether it is there.
 *
 * States: `waiting` until its process was found once, `running`, `gone` after its root ended; a
 * gone target runs again under the next generation when another process takes its place. One that
 * is matched another way goes on counting where the one that had its name before left off.
 * Identity: boot id, pid and start time. The command line is compared as well before anyone acts,
 * and not part of the identity, because a process may change its title and is still the same.
 */
import type { TargetPolicy } from '../policy/policy.ts';
import { OWN_SERIES } from './own-process.ts';
import { PROCESS_SERIES } from './process-series.ts';
import { ProcessTree } from './process-tree.ts';
import type { CollectEvent, TargetState } from './reading.ts';
import type { SeriesBlock, SeriesTable } from './series-table.ts';
import type { CgroupView, ProcessOwner, PssTurn, World } from './world.ts';

/** What of a target's policy matters here. */
export type WatchedTarget = Pick<TargetPolicy, 'name' | 'match' | 'includeChildren'>;

const CGROUP_SERIES = ['cgroup_usage_bytes', 'cgroup_working_set_bytes'] as const;

export interface TargetOptions {
  readonly watched: WatchedTarget;
  readonly world: World;
  readonly table: SeriesTable;
  /** who had the name before */
  readonly before: Pick<TargetState, 'generation' | 'identity'> | undefined;
  onEvent(event: CollectEvent): void;
}

/** Passes over the slow figures, one per detail interval. */
const PASSES_PER_REVIEW = 4;
const NOT_RUNNING = 'the process is not running';

/** A class, because there may be thousands: their functions are shared. */
export class Target implements ProcessOwner {
  readonly watched: WatchedTarget;
  readonly #world: World;
  readonly #table: SeriesTable;
  readonly #onEvent: (event: CollectEvent) => void;
  readonly #processBlock: SeriesBlock;
  #ownBlock: SeriesBlock | null;
  #cgroupBlock: SeriesBlock | null = null;
  #tree: ProcessTree | null = null;
  #cgroup: CgroupView | string = NOT_RUNNING;
  #state: TargetState;
  #passes = 0;

  constructor({ watched, world, table, before, onEvent }: TargetOptions) {
    const { name, match } = watched;
    this.watched = watched;
    this.#world = world;
    this.#table = table;
    this.#onEvent = onEvent;
    this.#processBlock = table.block(name, PROCESS_SERIES);
    this.#ownBlock = 'self' in match ? table.block(name, OWN_SERIES) : null;
    this.#state = {
      name,
      state: 'waiting',
      pid: null,
      generation: before?.generation ?? 0,
      identity: before?.identity ?? null,
      sinceMs: null,
      startedMs: null,
      processes: 0,
      command: null,
      reason: 'not looked for yet',
    };
  }

  get state(): TargetState {
    const { tree } = this;
    return tree === null ? this.#state : { ...this.#state, processes: tree.members.length };
  }

  /** when the present process began, on the wall clock; null unless running */
  get startedMs(): number | null {
    return this.#state.startedMs;
  }

  /** null unless running */
  get tree(): ProcessTree | null {
    return this.#tree;
  }

  /** or why there is none */
  get cgroup(): CgroupView | string {
    return this.#cgroup;
  }

  get blocks(): readonly SeriesBlock[] {
    return [this.#processBlock, this.#cgroupBlock, this.#ownBlock].filter(
      (block) => block !== null,
    );
  }

  get ownBlock(): SeriesBlock | null {
    return this.#ownBlock;
  }

  /** Takes a process as the root; false, with the reason in `state`, when it cannot. */
  adopt(pid: number, timeMs: number, reason: string): boolean {
    const { processes } = this.#world;
    const command = processes.commandOf(pid);
    if (this.#isRecycled(pid, command)) {
      this.explain(`pid ${pid} now belongs to another program`);
      return false;
    }
    const root = processes.track(pid, this);
    if ('gone' in root) {
      this.explain(root.reason);
      return false;
    }
    if (pid === process.pid) this.#ownBlock ??= this.#table.block(this.watched.name, OWN_SERIES);
    const figures = this.#processBlock;
    const tree = new ProcessTree({ root, processes, owner: this, figures });
    this.#begin(tree, command, timeMs, reason);
    this.#enterCgroup(pid, timeMs);
    this.settle(timeMs);
    return true;
  }

  /** Says why a target that is not running is not. */
  explain(reason: string): void {
    if (this.#tree === null) this.#state = { ...this.#state, reason };
  }

  /** Takes over what was just sampled of its processes. */
  settle(timeMs: number): void {
    if (this.#tree !== null && !this.#tree.sum()) this.#lose(timeMs);
  }

  /** Takes over what was just sampled of its cgroup. */
  measureCgroup(): void {
    if (this.#cgroupBlock === null) return;
    const cgroup = this.#cgroup;
    const level = typeof cgroup === 'string' ? undefined : cgroup.levels[0];
    this.#cgroupBlock.set(0, level?.usageBytes ?? Number.NaN);
    this.#cgroupBlock.set(1, level?.workingSetBytes ?? Number.NaN);
  }

  /** Goes on with a pass over the slow figures; true when it is complete. */
  inspect(turn: PssTurn): boolean {
    if (this.#tree === null) return true;
    if (!this.#tree.inspect(turn)) return false;
    const { cgroups } = this.#world;
    const isYoung = this.#passes < PASSES_PER_REVIEW;
    if (isYoung || this.#passes % PASSES_PER_REVIEW === 0) this.#review(turn.timeMs);
    this.#passes++;
    if (typeof this.#cgroup !== 'string') {
      cgroups.refreshLimits(this.#cgroup, turn.timeMs, turn.intervalMs);
    }
    return true;
  }

  /** Whether it changed its title, or was moved to another cgroup: rare, and two files to open. */
  #review(timeMs: number): void {
    const { pid } = this.#tree!.root;
    const command = this.#world.processes.commandOf(pid);
    if (command !== '' && command !== this.#state.command)
      this.#state = { ...this.#state, command };
    this.#enterCgroup(pid, timeMs);
  }

  /** null unless the root is provably still the process it was. Reads /proc now. */
  identify(): { pid: number; identity: string } | null {
    const { processes } = this.#world;
    const { pid, identity, command } = this.#state;
    if (this.#tree === null || pid === null || identity === null) return null;
    const isSame = processes.startKeyOf(pid) === this.#tree.root.startKey;
    return isSame && processes.commandOf(pid) === command ? { pid, identity } : null;
  }

  close(): void {
    this.#tree?.close();
    this.#tree = null;
    this.#leaveCgroup();
    for (const block of this.blocks) block.close();
  }

  /** A recycled pid is not the process that was meant; the same program under it again is. */
  #isRecycled(pid: number, command: string): boolean {
    const { match } = this.watched;
    const isByPid = 'pid' in match || 'pidFile' in match;
    const known = this.#state;
    return isByPid && known.pid === pid && command !== '' && known.command !== command;
  }

  #begin(tree: ProcessTree, command: string, timeMs: number, reason: string): void {
    const { processes } = this.#world;
    const { name, identity: before, generation } = this.#state;
    const { pid, startKey } = tree.root;
    const identity = `${processes.bootId}:${pid}:${startKey}`;
    this.#tree = tree;
    this.#passes = 0;
    this.#state = {
      name,
      state: 'running',
      pid,
      generation: generation + (before === identity ? 0 : 1),
      identity,
      sinceMs: timeMs,
      startedMs: processes.startedMs(startKey),
      processes: 1,
      command,
      reason: null,
    };
    this.#tell(before !== null && before !== identity ? 'restarted' : 'found', timeMs, reason);
  }

  #lose(timeMs: number): void {
    this.#tree?.close();
    this.#tree = null;
    this.#leaveCgroup();
    this.#processBlock.clear();
    this.#cgroupBlock?.clear();
    const reason = `process ${this.#state.pid} has ended`;
    const ended = { sinceMs: timeMs, startedMs: null, processes: 0, reason };
    this.#state = { ...this.#state, state: 'gone', ...ended };
    this.#tell('gone', timeMs, reason);
  }

  #tell(kind: CollectEvent['kind'], timeMs: number, reason: string): void {
    const { name: target, pid, identity, generation } = this.#state;
    if (pid === null || identity === null) return;
    this.#onEvent({ kind, target, pid, generation, identity, timeMs, reason });
  }

  #enterCgroup(pid: number, timeMs: number): void {
    const next = this.#world.cgroups.open(pid, timeMs, this.#cgroup);
    if (next === this.#cgroup) return;
    this.#leaveCgroup();
    this.#cgroup = next;
    if (typeof next !== 'string') {
      this.#cgroupBlock ??= this.#table.block(this.watched.name, CGROUP_SERIES);
    }
  }

  #leaveCgroup(): void {
    if (typeof this.#cgroup !== 'string') this.#world.cgroups.release(this.#cgroup);
    this.#cgroup = NOT_RUNNING;
  }
}
