/** The world through /proc and the cgroup file systems. */
import { createCgroups } from '../cgroup/cgroups.ts';
import type { World } from '../world.ts';
import { createProcFiles } from './files.ts';
import { listeners } from './listeners.ts';
import { createProcesses } from './processes.ts';
import { createSystem } from './system.ts';

export interface ProcfsOptions {
  readonly procRoot: string;
  readonly cgroupRoot: string | undefined;
}

export function createProcfsWorld({ procRoot, cgroupRoot }: ProcfsOptions): World {
  const files = createProcFiles();
  return {
    platform: 'procfs',
    processes: createProcesses(files, procRoot),
    system: createSystem(files, procRoot),
    cgroups: createCgroups({ files, procRoot, cgroupRoot }),
    listeners: (port) => listeners(procRoot, port),
    close: () => files.close(),
  };
}
