// CPU per sample of many processes: our whole tick (host, pressure, cgroups and every process's
// stat) against pidusage and systeminformation, in the same run on the same real processes.
// pidusage has less to do: it reads the processes alone. CPU is that of all threads, and of the child
// processes systeminformation starts. Linux.
// Run after a build: node bench/tick.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import pidusage from 'pidusage';
import si from 'systeminformation';
import { createCollector } from '../dist/collect/collector.js';

const SIZES = [
  { processes: 200, ticks: 100, calls: 40 },
  { processes: 1_000, ticks: 40, calls: 20 },
];
const ROUNDS = 5;
const MS_PER_TICK = 10;
const WANTED = { pidusage: 4, systeminformation: 150 };

/** Starts `count` sleeping processes; `end` ends exactly those. */
const startSleepers = async (count) => {
  const script = 'i=0; while [ $i -lt "$1" ]; do sleep 1000 & echo $!; i=$((i+1)); done; wait';
  const shell = spawn('sh', ['-c', script, 'sh', String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids = [];
  for await (const line of createInterface(shell.stdout)) {
    if (pids.push(Number(line)) === count) break;
  }
  const end = async () => {
    for (const pid of pids) process.kill(pid);
    if (shell.exitCode === null) await once(shell, 'exit');
  };
  return { pids, end };
};

/** CPU of this process, all threads, and of the child processes that have ended. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  const childTicks = Number(fields[13]) + Number(fields[14]);
  return (user + system) / 1_000 + childTicks * MS_PER_TICK;
};

/**
 * CPU ms a run of each contestant. They take turns, so that all meet the same machine: what else
 * runs on it then moves the ratios little.
 */
const compare = async (contestants) => {
  const total = new Map();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, { runs, run }] of Object.entries(contestants)) {
      const before = cpuMs();
      for (let i = 0; i < runs; i++) await run();
      // the first round warms up
      if (round > 0) total.set(name, (total.get(name) ?? 0) + (cpuMs() - before) / runs / ROUNDS);
    }
  }
  return Object.fromEntries(total);
};

const createOurs = (pids) => {
  let columns = 0;
  const collector = createCollector({
    targets: pids.map((pid) => ({ name: `p${pid}`, match: { pid }, includeChildren: true })),
    column: () => columns++,
    detailIntervalMs: 30_000,
  });
  const row = new Float64Array(pids.length * 16);
  return { collector, row };
};

/** It answers from a cache for half a second. */
const listProcesses = async () => {
  await setTimeout(600);
  return si.processes();
};

const measure = async ({ processes, ticks, calls }) => {
  const sleepers = await startSleepers(processes);
  const { collector, row } = createOurs(sleepers.pids);
  let timeMs = Date.now();
  const nextSecond = () => {
    timeMs += 1_000;
    return timeMs;
  };
  try {
    return await compare({
      tick: { runs: ticks, run: () => collector.tick(row, nextSecond()) },
      detail: { runs: ticks, run: () => collector.detail(nextSecond(), 4) },
      pidusage: { runs: calls, run: () => pidusage(sleepers.pids) },
      systeminformation: { runs: 1, run: listProcesses },
    });
  } finally {
    collector.close();
    pidusage.clear();
    await sleepers.end();
  }
};

let missed = false;
for (const size of SIZES) {
  const result = await measure(size);
  const table = {};
  for (const name of ['tick', 'detail', 'pidusage', 'systeminformation']) {
    const wanted = WANTED[name];
    const ratio = result[name] / result.tick;
    if (wanted !== undefined && !(ratio >= wanted)) missed = true;
    table[name] = {
      'CPU ms': Number(result[name].toFixed(3)),
      ratio: Number(ratio.toFixed(1)),
      wanted: wanted ?? '',
    };
  }
  console.log(`${size.processes} processes, Node ${process.version}`);
  console.table(table);
}
if (missed) {
  console.error('A ratio was missed.');
  process.exitCode = 1;
}
