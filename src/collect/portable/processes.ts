/** Processes from the last list systeminformation gave; our own from Node itself. */
import { performance } from 'node:perf_hooks';
import type { Systeminformation } from 'systeminformation';
import { ALIVE, createProcessSlots, DEAD } from '../process-columns.ts';
import { newProcess } from '../procfs/processes.ts';
import type { ProcessEntry, ProcessOwner, ProcessSource, TrackedProcess } from '../world.ts';

const KIB = 1_024;
const NOT_HERE = 'not known on this platform';
const NOT_LISTED = 'the first look at the processes is not finished';

type Listed = Systeminformation.ProcessesProcessData;

export interface PortableProcesses {
  readonly source: ProcessSource;
  replace(list: readonly Listed[]): void;
}

export function createPortableProcesses(): PortableProcesses {
  const listed = new Map<number, Listed>();
  const entries = new Map<number, ProcessEntry>();
  const slots = createProcessSlots();
  const owners = new Map<TrackedProcess, ProcessOwner>();
  let looks = 0;
  let scans = 0;

  const startKeyOf = (pid: number): number => {
    if (pid === process.pid) return Math.round(performance.timeOrigin);
    const row = listed.get(pid);
    return row === undefined ? Number.NaN : startOf(row);
  };

  const commandOf = (pid: number): string =>
    pid === process.pid ? process.argv.join(' ') : commandOfRow(listed.get(pid));

  const sample = ({ pid, startKey, slot }: TrackedProcess): void => {
    const { columns } = slots;
    const row = listed.get(pid);
    columns.outcome[slot] = startKeyOf(pid) === startKey ? ALIVE : DEAD;
    if (pid === process.pid) {
      const { user, system } = process.cpuUsage();
      columns.rssBytes[slot] = process.memoryUsage.rss();
      columns.cpuMs[slot] = (user + system) / 1_000;
    } else if (row !== undefined) {
      columns.rssBytes[slot] = row.memRss * KIB;
    }
  };

  const source: ProcessSource = {
    bootId: 'portable',
    problem: NOT_HERE,
    startKeyOf,
    startedMs: (startKey) => startKey,
    commandOf,
    get columns() {
      return slots.columns;
    },
    sample,
    sampleAll() {
      for (const each of owners.keys()) sample(each);
      return new Set(owners.values());
    },
    release(each) {
      slots.close(each.slot);
      owners.delete(each);
    },
    track(pid, owner) {
      const startKey = startKeyOf(pid);
      if (Number.isNaN(startKey)) {
        return { gone: true, reason: looks === 0 ? NOT_LISTED : `there is no process ${pid}` };
      }
      const fresh = newProcess({ pid, startKey, slot: slots.open(startKey) });
      owners.set(fresh, owner);
      sample(fresh);
      return fresh;
    },
    inspect(each) {
      const problems = ['swap_bytes', 'peak_rss_bytes', 'open_fds'].map((name) => ({
        metric: `process.${name}`,
        reason: NOT_HERE,
      }));
      each.detail = {
        swapBytes: Number.NaN,
        peakRssBytes: Number.NaN,
        openFds: Number.NaN,
        problems,
        sampledBytes: Number.NaN,
        takenMs: Number.NaN,
      };
      each.pssProblem = NOT_HERE;
    },
    table: {
      entries,
      idle: true,
      get problem() {
        return looks === 0 ? NOT_LISTED : null;
      },
      get scans() {
        return scans;
      },
      step() {
        if (scans === looks) return false;
        scans = looks;
        return true;
      },
    },
  };

  return {
    source,
    replace(list) {
      listed.clear();
      for (const row of list) listed.set(row.pid, row);
      for (const pid of entries.keys()) if (!listed.has(pid)) entries.delete(pid);
      for (const row of list) entries.set(row.pid, entryOf(row, entries.get(row.pid), looks));
      looks++;
    },
  };
}

function entryOf(row: Listed, known: ProcessEntry | undefined, scan: number): ProcessEntry {
  const entry = {
    pid: row.pid,
    ppid: row.parentPid,
    startKey: startOf(row),
    command: commandOfRow(row),
    cgroup: null,
  };
  const isSame = known?.startKey === entry.startKey && known.command === entry.command;
  return {
    ...entry,
    firstScan: known?.firstScan ?? scan,
    changedAtScan: isSame ? known.changedAtScan : scan,
  };
}

const startOf = ({ started }: Listed): number => Date.parse(started) || 0;

const commandOfRow = (row: Listed | undefined): string =>
  row === undefined ? '' : `${row.command} ${row.params}`.trim();
