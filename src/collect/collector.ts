/**
 * Reads the world and judges nothing: the door of this folder.
 */
import fs from 'node:fs';
import { createDetails } from './details.ts';
import { createDiscovery } from './discovery.ts';
import { describeMatch } from './finders.ts';
import { createGauges } from './gauges.ts';
import { readHostFacts } from './host-facts.ts';
import { hostLimit, limitInputsOf } from './limits.ts';
import { createOwnProcess, ownValues } from './own-process.ts';
import { createPortableWorld } from './portable/world.ts';
import { createProcfsWorld } from './procfs/world.ts';
import type { CollectEvent, HostFacts, LimitInput, Reading, TargetState } from './reading.ts';
import { readingOf } from './readings.ts';
import { createSeriesTable, type SeriesBlock } from './series-table.ts';
import { SYSTEM_SERIES, systemValues } from './system-series.ts';
import { Target, type WatchedTarget } from './target.ts';

export type { CollectEvent, HostFacts, LimitInput } from './reading.ts';
export type { WatchedTarget } from './target.ts';

export interface CollectorOptions {
  readonly targets: readonly WatchedTarget[];
  /** History's column for `<target>/<series>`. May throw a RangeError when history is full. */
  column(key: string): number;
  readonly detailIntervalMs: number;
  /** `/proc` when not set */
  readonly procRoot?: string;
  /** found through `/proc/self/mountinfo` when not set */
  readonly cgroupRoot?: string;
  onEvent?(event: CollectEvent): void;
}

export interface Collector {
  readonly platform: 'procfs' | 'portable';
  /** Writes every owned column of the row, NaN for unknown. Synchronous; never throws. */
  tick(row: Float64Array, timeMs: number): void;
  /** The slow readings and discovery, a slice of about `budgetMs` a call. Call it once a tick. */
  detail(timeMs: number, budgetMs: number): void;
  states(): readonly TargetState[];
  state(name: string): TargetState | undefined;
  /** Series name to column id, of a target or of `system`; empty for an unknown name. */
  series(name: string): ReadonlyMap<string, number>;
  /** Taken now. `system` has no process; an unknown name has none either, and `unknown` says so. */
  read(name: string, timeMs: number): Reading;
  /** From the last tick, no I/O. Empty for an unknown name. */
  limitInputs(name: string): LimitInput[];
  /**
   * Replaces the targets. Unchanged ones keep their descriptors and generation; new ones are looked
   * for at once. One that is matched another way goes on under its name: its series and generation.
   */
  setTargets(targets: readonly WatchedTarget[]): void;
  /** Re-reads who the root process is; null unless it is provably still the tracked one. */
  identify(name: string): { pid: number; identity: string } | null;
  processes(name: string): readonly number[];
  /** The directory of its memory cgroup, of either version; null when it is in none. */
  cgroupDir(name: string): string | null;
  /**
   * A pushed figure; unknown again 60 s after the last push. false when a registered gauge has that
   * name. @throws RangeError when history is full
   */
  setGauge(target: string, name: string, value: number, timeMs: number): boolean;
  /** A figure read at each tick; returns its removal. @throws RangeError when history is full */
  registerGauge(target: string, name: string, read: () => number): () => void;
  /** Asked once, then kept. Takes a second or so: it may start other programs. */
  facts(): Promise<HostFacts>;
  close(): void;
}

/** What a live reading may spend on the slow figures. */
const READ_BUDGET_MS = 5;
const MOST_READ_PROCESSES = 32;

/** Looks for the targets at once; `tick` and `detail` are called by the owner, `close` ends it. */
export function createCollector(options: CollectorOptions): Collector {
  const { column, detailIntervalMs, procRoot = '/proc', cgroupRoot } = options;
  const world = fs.existsSync(`${procRoot}/meminfo`)
    ? createProcfsWorld({ procRoot, cgroupRoot })
    : createPortableWorld();
  const own = createOwnProcess();
  const gauges = createGauges(column);
  const discovery = createDiscovery(world);
  const details = createDetails({ intervalMs: detailIntervalMs });
  const table = createSeriesTable(column);
  const systemBlock = table.block('system', SYSTEM_SERIES);
  let byName = new Map<string, Target>();
  let targets: Target[] = [];
  let ownTargets: Target[] = [];
  let facts: Promise<HostFacts> | undefined;

  const onEvent = (event: CollectEvent): void => {
    if (event.pid === process.pid) {
      own.start();
      findOwn();
    }
    options.onEvent?.(event);
  };

  /** Those that are this process: rarely more than one of a thousand. */
  const findOwn = (): void => {
    ownTargets = targets.filter(({ ownBlock }) => ownBlock !== null);
  };

  /** Who had the name before passes on what it counted. */
  const create = (watched: WatchedTarget, before: Target | undefined): Target =>
    new Target({ watched, world, table, before: before?.state, onEvent });

  const isOwn = ({ tree }: Target): boolean => tree?.root.pid === process.pid;

  const sampleSystem = (): void => {
    world.system.sample();
    setAll(systemBlock, systemValues(world.system.figures));
  };

  /** Brings a target up to now, the slow figures too unless that is a lot of processes. */
  const refresh = (target: Target, timeMs: number): void => {
    for (const process of target.tree?.members ?? []) world.processes.sample(process);
    target.settle(timeMs);
    const turn = { timeMs, intervalMs: detailIntervalMs, budgetMs: READ_BUDGET_MS };
    const { length } = target.tree?.members ?? [];
    for (let i = 0; i < length && length <= MOST_READ_PROCESSES; i++)
      if (target.inspect(turn)) break;
    if (typeof target.cgroup !== 'string') world.cgroups.refreshLimits(target.cgroup, timeMs, 0);
  };

  const setTargets = (watched: readonly WatchedTarget[]): void => {
    const next = new Map<string, Target>();
    const fresh: Target[] = [];
    for (const each of watched) {
      const known = byName.get(each.name);
      const target = known && isSame(known.watched, each) ? known : create(each, known);
      if (target !== known) fresh.push(target);
      next.set(each.name, target);
    }
    for (const [name, target] of byName) {
      if (next.get(name) !== target) target.close();
      if (!next.has(name)) gauges.forget(name);
    }
    byName = next;
    targets = [...next.values()];
    findOwn();
    discovery.lookFor(fresh, Date.now());
  };

  setTargets(options.targets);

  return {
    platform: world.platform,
    setTargets,
    tick(row, timeMs) {
      sampleSystem();
      world.cgroups.sample();
      own.sample();
      for (const owner of world.processes.sampleAll()) owner.settle(timeMs);
      for (const target of targets) target.measureCgroup();
      for (const { ownBlock } of ownTargets) {
        if (ownBlock !== null) setAll(ownBlock, ownValues(own.figures));
      }
      table.write(row);
      gauges.sample(row, timeMs);
    },
    detail(timeMs, budgetMs) {
      const deadlineMs = performance.now() + budgetMs;
      discovery.step(targets, timeMs, deadlineMs);
      details.step(targets, timeMs, deadlineMs);
    },
    states: () => targets.map(({ state }) => state),
    state: (name) => byName.get(name)?.state,
    series(name) {
      if (name === 'system') return new Map(systemBlock.columns());
      const target = byName.get(name);
      if (target === undefined) return new Map();
      return new Map([
        ...target.blocks.flatMap((block) => block.columns()),
        ...gauges.columns(name),
      ]);
    },
    read(name, timeMs) {
      const target = byName.get(name) ?? null;
      sampleSystem();
      if (target !== null) refresh(target, timeMs);
      const { system, cgroups } = world;
      return readingOf({ name, timeMs, target, system, cgroups, gauges, own });
    },
    limitInputs(name) {
      const system = world.system.figures;
      if (name === 'system') return [hostLimit(system)];
      const target = byName.get(name);
      if (target === undefined || target.tree === null) return [];
      return limitInputsOf({
        own: isOwn(target) ? own.figures : null,
        cgroup: target.cgroup,
        system,
      });
    },
    identify: (name) => byName.get(name)?.identify() ?? null,
    processes: (name) => byName.get(name)?.tree?.members.map(({ pid }) => pid) ?? [],
    cgroupDir(name) {
      const cgroup = byName.get(name)?.cgroup ?? '';
      return typeof cgroup === 'string' ? null : cgroup.directory;
    },
    setGauge: gauges.push,
    registerGauge: gauges.register,
    facts() {
      facts ??= readHostFacts();
      return facts;
    },
    close() {
      for (const target of targets) target.close();
      own.close();
      world.close();
    },
  };
}

const isSame = (a: WatchedTarget, b: WatchedTarget): boolean =>
  a.includeChildren === b.includeChildren && describeMatch(a.match) === describeMatch(b.match);

const setAll = (block: SeriesBlock, values: readonly number[]): void => {
  for (const [place, value] of values.entries()) block.set(place, value);
};
