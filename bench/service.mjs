// What the running service costs: CPU and RSS of a real `memwarden serve` at 1 s, read from outside
// (/proc/PID/stat), with one target and with 1,000 targets and 24 h behind them. RSS is the most that
// was seen while CPU was measured. Before that it settles: what runs once a second takes V8 two to
// three minutes to compile.
// Run after a build: node bench/service.mjs [one|many]

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createHistory } from '../dist/history/history.js';
import { openArchive } from '../dist/warden/archive.js';

const MEASURED_SECONDS = 60;
const DAY_SECONDS = 86_400;
const CLOCK_TICKS = 100;
const PAGE_BYTES = 4096;
const MAIN = new URL('../dist/cli/main.js', import.meta.url).pathname;
const quiet = { info() {}, warn() {}, error() {} };

const started = [];
const spawnIdle = () => {
  const child = spawn('sleep', ['3600'], { stdio: 'ignore' });
  started.push(child);
  return child.pid;
};

const writePolicy = (dir, pids) => {
  const targets = pids.map((pid, index) => `  - { name: t${index}, match: { pid: ${pid} } }`);
  const file = join(dir, 'policy.yaml');
  writeFileSync(file, `server: { port: 0 }\ntargets:\n${targets.join('\n')}\n`);
  return file;
};

const startService = async (dir, policy) => {
  const args = [MAIN, 'serve', '--config', policy, '--data-dir', join(dir, 'data')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  const beganMs = performance.now();
  const line = await new Promise((resolve) => child.stdout.once('data', resolve));
  return {
    child,
    startMs: performance.now() - beganMs,
    url: /http:\/\/[^ ]+/.exec(String(line))[0],
  };
};

const usage = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS,
    rssMib: (Number(fields[21]) * PAGE_BYTES) / 2 ** 20,
  };
};

const stop = async (child) => {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
};

const measure = async (dir, policy, settleSeconds) => {
  const { child, startMs, url } = await startService(dir, policy);
  await pause(settleSeconds * 1000);
  const before = usage(child.pid);
  let rssMib = before.rssMib;
  for (let second = 0; second < MEASURED_SECONDS; second++) {
    await pause(1000);
    rssMib = Math.max(rssMib, usage(child.pid).rssMib);
  }
  const after = usage(child.pid);
  const status = await (await fetch(`${url}/internal/memory/status?target=self`)).json();
  await stop(child);
  return {
    cpuPercent: ((after.cpuSeconds - before.cpuSeconds) / MEASURED_SECONDS) * 100,
    rssMib,
    startMs,
    status,
  };
};

/** 24 h of 1,000 targets at 1 s, as a process of a service moves: RSS wanders, CPU grows, the rest stands still. */
const fillDay = (dir, targets) => {
  const log = quiet;
  const endMs = Date.now() - 5_000;
  const archive = openArchive({ dataDir: join(dir, 'data'), nowMs: endMs, log });
  const history = createHistory({ retentionMs: DAY_SECONDS * 1000, maxBytes: 64 * 2 ** 20 });
  const names = [
    'rss_bytes',
    'cpu_ms',
    'swap_bytes',
    'threads',
    'open_fds',
    'processes',
    'pss_bytes',
  ];
  const columns = Array.from({ length: targets }, (_, target) =>
    names.map((name) => history.column(`t${target}/${name}`)),
  );
  const row = new Float64Array(history.width);
  for (const [rss, cpu, swap, threads, fds, processes, pss] of columns) {
    row[rss] = 50e6 - (50e6 % PAGE_BYTES);
    row[pss] = row[rss];
    row[cpu] = 0;
    row[swap] = 0;
    row[threads] = 11;
    row[fds] = 24;
    row[processes] = 1;
  }
  for (let second = 0; second < DAY_SECONDS; second++) {
    for (const [rss, cpu, , , , , pss] of columns) {
      if (Math.random() < 0.2) {
        row[rss] += PAGE_BYTES * Math.round((Math.random() - 0.5) * 64);
        // as the collector does: PSS follows by steps of 1 %
        if (Math.abs(row[rss] - row[pss]) >= row[rss] * 0.01) row[pss] = row[rss];
      }
      if (Math.random() < 0.3) row[cpu] += 10;
    }
    history.append(endMs - (DAY_SECONDS - second) * 1000, row);
    if (second % 10 === 9) archive.flush(history);
    archive.compact(history);
    for (let slice = 0; slice < 10; slice++) archive.compact(history);
    if (second % 3600 === 0) process.stderr.write(`\rfilling: ${second / 3600} h`);
  }
  process.stderr.write('\rfilled 24 h   \n');
  archive.flush(history);
  archive.close();
};

const checks = [];
const report = (what, value, unit, most) => {
  const ok = value <= most;
  checks.push(ok);
  console.log(
    `${ok ? 'ok  ' : 'MISS'} ${what.padEnd(44)} ${value.toFixed(3)} ${unit} (at most ${most})`,
  );
};

const one = async (dir) => {
  const result = await measure(dir, writePolicy(dir, [spawnIdle()]), 20);
  report('1 target: CPU, % of a core', result.cpuPercent, '%', 0.3);
  report('1 target: RSS', result.rssMib, 'MiB', 85);
  report('1 target: interval', result.status.self.interval_seconds, 's', 1);
};

const many = async (dir) => {
  const pids = Array.from({ length: 1_000 }, spawnIdle);
  fillDay(dir, pids.length);
  const result = await measure(dir, writePolicy(dir, pids), 180);
  const { from, resolution, bytes } = result.status.history;
  report('1,000 targets with 24 h: CPU, % of a core', result.cpuPercent, '%', 1.2);
  report('1,000 targets with 24 h: RSS', result.rssMib, 'MiB', 160);
  report('1,000 targets with 24 h: interval', result.status.self.interval_seconds, 's', 1);
  report('1,000 targets with 24 h: from start to listening', result.startMs, 'ms', 5_000);
  console.log(`     ${result.status.self.reason ?? 'not degraded'}`);
  console.log(
    `     history ${(bytes / 2 ** 20).toFixed(1)} MiB, from ${from}, ${JSON.stringify(resolution)}`,
  );
  report(
    'hours that answer, short of 24',
    24 - (Date.now() - Date.parse(from)) / 3_600_000,
    'h',
    0.5,
  );
};

const which = process.argv[2];
for (const [name, run] of Object.entries({ one, many })) {
  if (which && which !== name) continue;
  const dir = mkdtempSync(join(tmpdir(), 'memwarden-bench-'));
  try {
    await run(dir);
  } finally {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}
process.exit(checks.every(Boolean) ? 0 : 1);
