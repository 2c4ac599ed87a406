/**
 * Records test/fixtures/node-service.csv.gz: one row a second from the real /proc of a real Node
 * service (busy-service.mjs) and of the host it ran on, the series and units the warden keeps.
 *
 *   node bench/record/record-trace.mjs [seconds=1200] [file]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const seconds = Number(process.argv[2] ?? 1200);
const file = process.argv[3] ?? new URL('../../test/fixtures/node-service.csv.gz', import.meta.url);
const child = fork(new URL('./busy-service.mjs', import.meta.url));

const number = (text, pattern) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
const read = (path) => readFileSync(path, 'utf8');

/** The memory cgroup of a process, version 1 or 2; null when there is none. */
function cgroupFiles(pid) {
  const lines = read(`/proc/${pid}/cgroup`).split('\n');
  const v1 = lines.find((line) => line.split(':')[1] === 'memory')?.split(':')[2];
  if (v1) {
    const base = `/sys/fs/cgroup/memory${v1 === '/' ? '' : v1}`;
    return { usage: `${base}/memory.usage_in_bytes`, stat: `${base}/memory.stat` };
  }
  const base = `/sys/fs/cgroup${lines.find((line) => line.startsWith('0::'))?.slice(3) ?? ''}`;
  return { usage: `${base}/memory.current`, stat: `${base}/memory.stat` };
}

function optional(readValue) {
  try {
    return readValue();
  } catch {
    return Number.NaN; // not every kernel has every file; the column is then unknown throughout
  }
}

function detail(pid) {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return {
    pssPerRss: number(rollup, /^Pss:\s+(\d+)/m) / number(rollup, /^Rss:\s+(\d+)/m),
    fds: readdirSync(`/proc/${pid}/fd`).length,
  };
}

function row(pid, own, slow, cgroup) {
  const stat = read(`/proc/${pid}/stat`);
  const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const meminfo = read('/proc/meminfo');
  const vmstat = read('/proc/vmstat');
  const total = number(meminfo, /MemTotal:\s+(\d+)/) * 1024;
  const available = number(meminfo, /MemAvailable:\s+(\d+)/) * 1024;
  const swap =
    number(meminfo, /SwapTotal:\s+(\d+)/) * 1024 - number(meminfo, /SwapFree:\s+(\d+)/) * 1024;
  const rss = Number(field[21]) * 4096;
  const usage = optional(() => Number(read(cgroup.usage)));
  const inactive = optional(() => number(read(cgroup.stat), /^(?:total_)?inactive_file (\d+)/m));
  const psi = optional(() => read('/proc/pressure/memory'));
  return {
    rss_bytes: rss,
    swap_bytes: number(read(`/proc/${pid}/status`), /VmSwap:\s+(\d+)/) * 1024,
    pss_bytes: Math.round(rss * slow.pssPerRss),
    cpu_ms: (Number(field[11]) + Number(field[12])) * 10,
    threads: Number(field[17]),
    open_fds: slow.fds,
    processes: 1,
    heap_used_bytes: own.memory.heapUsed,
    heap_total_bytes: own.memory.heapTotal,
    external_bytes: own.memory.external,
    array_buffers_bytes: own.memory.arrayBuffers,
    gc_minor_count: own.gc.minor,
    gc_major_count: own.gc.major,
    gc_pause_us: own.gc.pauseUs,
    event_loop_delay_us: own.latenessUs,
    cgroup_usage_bytes: usage,
    cgroup_working_set_bytes: usage - inactive,
    'system/available_bytes': available,
    'system/total_bytes': total,
    'system/used_bytes': total - available,
    'system/swap_used_bytes': swap,
    'system/psi_some_avg10_x100': Math.round(number(psi, /some avg10=([\d.]+)/) * 100),
    'system/psi_full_avg10_x100': Math.round(number(psi, /full avg10=([\d.]+)/) * 100),
    'system/oom_kills': number(vmstat, /^oom_kill (\d+)/m),
    'system/swap_in_pages': number(vmstat, /^pswpin (\d+)/m),
    'system/swap_out_pages': number(vmstat, /^pswpout (\d+)/m),
  };
}

const cgroup = cgroupFiles(child.pid);
const lines = [];
let slow = detail(child.pid);
const startMs = Date.now();
for (let tick = 0; tick < seconds; tick++) {
  const dueMs = startMs + (tick + 1) * 1000;
  await new Promise((resolve) => setTimeout(resolve, dueMs - Date.now()));
  const timeMs = Date.now();
  const reply = once(child, 'message');
  child.send('sample');
  const [own] = await reply;
  if (tick % 30 === 0) slow = detail(child.pid);
  const values = row(child.pid, own, slow, cgroup);
  if (tick === 0) lines.push(['time_ms', ...Object.keys(values)].join());
  lines.push([timeMs, ...Object.values(values)].join());
}
child.disconnect();
writeFileSync(file, gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
