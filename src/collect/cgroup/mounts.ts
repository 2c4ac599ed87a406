/**
 * Where the cgroup hierarchies are mounted, from /proc/self/mountinfo, and which one a process's
 * memory is charged to, from /proc/PID/cgroup.
 *
 * A mount shows a hierarchy from `root` downwards: inside a container that root is the container's
 * own cgroup, and it is taken off the front of the paths that /proc/PID/cgroup reports.
 * Source: cgroups(7), proc_pid_mountinfo(5).
 */
import path from 'node:path';

export interface CgroupMount {
  readonly version: 1 | 2;
  readonly root: string;
  readonly directory: string;
}

/** The mount that carries the memory controller in v1, and the v2 mount; undefined when absent. */
export interface CgroupMounts {
  readonly memory: CgroupMount | undefined;
  readonly unified: CgroupMount | undefined;
}

export interface CgroupPlace {
  readonly version: 1 | 2;
  /** from the root of the mount, `/` for that root */
  readonly path: string;
  /** of the mount */
  readonly directory: string;
}

/** A path may hold spaces: the kernel writes them as `\040`. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );

export function parseMounts(mountinfo: string): CgroupMounts {
  let memory: CgroupMount | undefined;
  let unified: CgroupMount | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', directory = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const at = { root: unescaped(root), directory: unescaped(directory) };
    if (type === 'cgroup2') unified ??= { version: 2, ...at };
    if (type === 'cgroup' && options.split(',').includes('memory'))
      memory ??= { version: 1, ...at };
  }
  return { memory, unified };
}

/**
 * Where a process's memory is charged, or why that is unknown. On a hybrid host the memory
 * controller sits in v1 and the v2 tree is empty, so v1 goes first.
 */
export function placeOf(cgroup: string, mounts: CgroupMounts): CgroupPlace | string {
  const lines = cgroup.split('\n').map(parseLine);
  const inMemory = lines.find(({ controllers }) => controllers.includes('memory'));
  if (inMemory && mounts.memory) return placeIn(mounts.memory, inMemory.path);
  const inUnified = lines.find(({ id, controllers }) => id === '0' && controllers[0] === '');
  if (inUnified && mounts.unified) return placeIn(mounts.unified, inUnified.path);
  return 'no memory cgroup is mounted here';
}

/** `4:cpu,memory:/a/b`; the path may hold colons. */
function parseLine(line: string): { id: string; controllers: string[]; path: string } {
  const [id = '', controllers = '', ...rest] = line.split(':');
  return { id, controllers: controllers.split(','), path: rest.join(':') };
}

/** The paths of all hierarchies in the text of a /proc/PID/cgroup. */
export function cgroupPaths(cgroup: string): string[] {
  return cgroup
    .split('\n')
    .map((line) => parseLine(line).path)
    .filter((path) => path !== '');
}

/** The kernel writes `/..` before a path that is above the root of our cgroup namespace. */
function placeIn({ version, root, directory }: CgroupMount, full: string): CgroupPlace | string {
  const below = path.posix.relative(root, full);
  if (below.startsWith('..') || full.split('/').includes('..')) {
    return `its cgroup ${full} is outside of what is mounted here`;
  }
  return { version, directory, path: `/${below}` };
}

/** Own path first, then every ancestor up to `/`. */
export function lineage(own: string): string[] {
  const parts = own.split('/').filter((part) => part !== '');
  return [...parts.keys(), parts.length]
    .map((depth) => `/${parts.slice(0, depth).join('/')}`)
    .reverse();
}
