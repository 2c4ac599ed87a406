import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A small file system of its own, so that a full or a read-only disk can be had for real. */
export interface Tmpfs {
  readonly dir: string;
  remount(options: string): void;
  unmount(): void;
}

const mount = (...args: string[]): void => {
  execFileSync('mount', args, { stdio: 'ignore' });
};

/** @throws when this user may not mount */
export function mountTmpfs(dir: string, options: string): Tmpfs {
  mkdirSync(dir, { recursive: true });
  mount('-t', 'tmpfs', '-o', options, 'tmpfs', dir);
  return {
    dir,
    remount: (changed) => mount('-o', `remount,${changed}`, dir),
    unmount: () => {
      execFileSync('umount', ['-l', dir]);
    },
  };
}

/** Mounting needs root and CAP_SYS_ADMIN; CI containers often have neither. */
export function canMount(probeDir: string): boolean {
  try {
    mountTmpfs(probeDir, 'size=64k').unmount();
    return true;
  } catch {
    return false;
  }
}
