/**
 * The world where there is no /proc, through systeminformation: a background look at processes and
 * memory every 5 s, or as rarely as keeps it under 5 % of a core. Slower and coarser than procfs:
 * figures are as old as the last look; cgroups, PSI, PSS, swap by process and descriptors are not
 * known. The process we run in is measured directly.
 */
import os from 'node:os';
import { unknownFigures } from '../procfs/system.ts';
import type { Unknown } from '../reading.ts';
import type { CgroupSource, SystemSource, World } from '../world.ts';
import { createPortableProcesses } from './processes.ts';

const INTERVAL_MS = 5_000;
const COST_FACTOR = 20;
const NOT_HERE = 'not known on this platform';

export function createPortableWorld(): World {
  const processes = createPortableProcesses();
  const figures = { ...unknownFigures(), totalBytes: os.totalmem() };
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let problem = 'not read yet';

  const look = async (): Promise<void> => {
    const beganMs = performance.now();
    try {
      // Loaded here alone: where there is /proc it is never needed.
      const { default: si } = await import('systeminformation');
      const [memory, list] = await Promise.all([si.mem(), si.processes()]);
      figures.availableBytes = memory.available;
      figures.swapUsedBytes = memory.swapused;
      processes.replace(list.list);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      figures.availableBytes = Number.NaN;
      figures.swapUsedBytes = Number.NaN;
    }
    if (isClosed) return;
    const costMs = performance.now() - beganMs;
    timer = setTimeout(look, Math.max(INTERVAL_MS, COST_FACTOR * costMs)).unref();
  };
  void look();

  const system: SystemSource = {
    figures,
    get unknown() {
      return unknownSystem(figures.availableBytes, problem);
    },
    sample() {},
  };
  return {
    platform: 'portable',
    processes: processes.source,
    system,
    cgroups: NO_CGROUPS,
    listeners: () => `a target by port is ${NOT_HERE}`,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

const NO_CGROUPS: CgroupSource = {
  open: () => NOT_HERE,
  release() {},
  sample() {},
  refreshLimits() {},
  oomKills: () => Number.NaN,
  members: () => `a target by cgroup is ${NOT_HERE}`,
};

function unknownSystem(availableBytes: number, problem: string): Unknown[] {
  const never = [
    'psi.some_avg10',
    'psi.full_avg10',
    'swap_in_pages',
    'swap_out_pages',
    'oom_kills',
  ];
  const missing = Number.isNaN(availableBytes) ? ['available_bytes', 'swap_used_bytes'] : [];
  return [
    ...missing.map((name) => ({ metric: `system.${name}`, reason: problem })),
    ...never.map((name) => ({ metric: `system.${name}`, reason: NOT_HERE })),
  ];
}
