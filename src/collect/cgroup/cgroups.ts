/**
 * The memory cgroups of all targets. Levels are shared: a cgroup that many targets, or many
 * targets' ancestors, have in common is opened once and read once a tick.
 *
 * Cost a tick: one pread for each own level and each ancestor with a limit, and memory.stat for at
 * most `STATS_PER_TICK` of them in turn; the others keep their last count of page cache.
 */
import fs from 'node:fs';
import { describeProblem, type ProcFiles, readText } from '../procfs/files.ts';
import { readRegularFile } from '../regular-file.ts';
import type { CgroupSource, CgroupView } from '../world.ts';
import {
  createLevel,
  type OpenLevel,
  readLimit,
  readOomKills,
  readStat,
  readUsage,
} from './level.ts';
import { type CgroupMounts, type CgroupPlace, lineage, parseMounts, placeOf } from './mounts.ts';

const STATS_PER_TICK = 32;
/** every pid there can be, a line each */
const MEMBERS_BYTES = 2 ** 22 * 8;

interface OpenView extends CgroupView {
  readonly levels: OpenLevel[];
}

export interface CgroupsOptions {
  readonly files: ProcFiles;
  readonly procRoot: string;
  readonly cgroupRoot: string | undefined;
}

export function createCgroups({ files, procRoot, cgroupRoot }: CgroupsOptions): CgroupSource {
  const mounts = cgroupRoot === undefined ? mountsOf(procRoot) : mountsAt(cgroupRoot);
  const levels = new Map<string, OpenLevel>();
  let turn = 0;

  const acquire = (
    at: { version: 1 | 2; directory: string; path: string },
    timeMs: number,
  ): OpenLevel | null => {
    const known = levels.get(at.directory);
    if (known) return known;
    const level = createLevel(files, at);
    readStat(files, level);
    readUsage(files, level);
    if (Number.isNaN(level.usageBytes)) {
      close(level);
      return null;
    }
    readLimit(files, level);
    level.limitReadMs = timeMs;
    levels.set(at.directory, level);
    return level;
  };

  const close = (level: OpenLevel): void => {
    files.release(level.usageFile);
    files.release(level.statFile);
    levels.delete(level.directory);
  };

  /** As last read; of many processes in one cgroup the text is the same, and need not be taken apart again. */
  let lastText: Buffer = Buffer.alloc(0);
  let lastPlace: CgroupPlace | string = '';

  const findPlace = (pid: number): CgroupPlace | string => {
    const file = files.file(`${procRoot}/${pid}/cgroup`);
    const end = files.readOnce(file);
    if (end < 0) return `/proc/${pid}/cgroup: ${describeProblem(file.problem ?? 'ENOENT')}`;
    const text = files.bytes.subarray(0, end);
    if (text.equals(lastText)) return lastPlace;
    lastText = Buffer.from(text);
    lastPlace = placeOf(text.toString('utf8'), mounts);
    return lastPlace;
  };

  return {
    open(pid, timeMs, known) {
      const place = findPlace(pid);
      if (typeof place === 'string') return place;
      const { version, path } = place;
      if (typeof known !== 'string' && known.version === version && known.path === path)
        return known;
      const opened = lineage(path)
        .map((each) => ({ version, path: each, directory: directoryOf(place.directory, each) }))
        .map((at) => acquire(at, timeMs))
        .filter((level) => level !== null);
      const own = opened[0];
      if (own?.path !== path) return `the cgroup ${path} does not account memory`;
      own.owners++;
      for (const level of opened) level.users++;
      return {
        version,
        path,
        directory: own.directory,
        levels: opened,
        get hiddenLimitBytes() {
          return hiddenLimit(opened);
        },
      };
    },

    release(view) {
      const opened = (view as OpenView).levels;
      if (opened[0]) opened[0].owners--;
      for (const level of opened) if (--level.users === 0) close(level);
    },

    sample() {
      const read = [...levels.values()].filter(
        (level) => level.owners > 0 || level.limitBytes < Infinity,
      );
      const stats = Math.min(STATS_PER_TICK, read.length);
      for (let i = 0; i < stats; i++) readStat(files, read[turn++ % read.length]!);
      for (const level of read) readUsage(files, level);
    },

    refreshLimits(view, timeMs, intervalMs) {
      for (const level of (view as OpenView).levels) {
        const ageMs = timeMs - level.limitReadMs;
        if (ageMs >= 0 && ageMs < intervalMs) continue;
        readLimit(files, level);
        readStat(files, level);
        readUsage(files, level);
        level.limitReadMs = timeMs;
      }
    },

    oomKills: (view) => readOomKills(files, (view as OpenView).levels[0]!),

    members(path) {
      if (leavesMount(path)) return `there is no cgroup ${path}: write its path without ".."`;
      const mount = mounts.memory ?? mounts.unified;
      const known = [mounts.memory, mounts.unified].some(
        (each) => each && path.startsWith(`${each.directory}/`),
      );
      if (!mount) return 'no cgroup hierarchy is mounted here';
      const directory = known ? path : directoryOf(mount.directory, path);
      const { text, problem } = readRegularFile(`${directory}/cgroup.procs`, MEMBERS_BYTES);
      if (text === null) return `the cgroup ${path}: ${problem}`;
      const pids = text
        .split('\n')
        .filter((line) => line !== '')
        .map(Number);
      return pids.length > 0 ? pids : `the cgroup ${path} is empty`;
    },
  };
}

/** What v1's memory.stat knows of ancestors that this mount does not show. */
function hiddenLimit(levels: readonly OpenLevel[]): number {
  let visible = Infinity;
  for (const { limitBytes } of levels) visible = Math.min(visible, limitBytes);
  const hierarchical = levels[0]?.hierarchicalLimitBytes ?? Infinity;
  return hierarchical < visible ? hierarchical : Infinity;
}

/** Or may: no cgroup is named `..`, so that any path with it is refused. */
const leavesMount = (path: string): boolean => path.split('/').includes('..');

const directoryOf = (mount: string, path: string): string =>
  path === '/' ? mount : `${mount}${path.startsWith('/') ? '' : '/'}${path}`;

const mountsOf = (procRoot: string): CgroupMounts =>
  parseMounts(readText(`${procRoot}/self/mountinfo`).text ?? '');

/** A root that was given: v1 when it has a memory directory or is one, else v2. */
function mountsAt(cgroupRoot: string): CgroupMounts {
  const memory = fs.existsSync(`${cgroupRoot}/memory`) ? `${cgroupRoot}/memory` : cgroupRoot;
  const isV1 = memory !== cgroupRoot || fs.existsSync(`${cgroupRoot}/memory.limit_in_bytes`);
  return isV1
    ? { memory: { version: 1, root: '/', directory: memory }, unified: undefined }
    : { memory: undefined, unified: { version: 2, root: '/', directory: cgroupRoot } };
}
