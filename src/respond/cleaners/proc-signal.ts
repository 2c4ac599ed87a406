import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const NODE_FILE = /^(node|nodejs|electron|libnode\.so[.\d]*)$/;

/**
 * Whether the process has a handler of its own for a signal, after SigCgt in /proc/PID/status.
 * false also when that cannot be read, as when it has just died.
 */
export function catchesSignal(pid: number, signal: number): boolean {
  const status = readText(`/proc/${pid}/status`);
  const caught = /^SigCgt:\t([0-9a-f]+)$/m.exec(status ?? '')?.[1];
  return caught !== undefined && ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Whether it is Node by its executable or a library it maps; true also when that cannot be read. */
export function mayBeNode(pid: number): boolean {
  try {
    if (NODE_FILE.test(basename(readlinkSync(`/proc/${pid}/exe`)))) return true;
    const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
    return maps.split('\n').some((line) => NODE_FILE.test(basename(line)));
  } catch {
    // Not ours to read, or gone: not proved to be anything else.
    return true;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Gone meanwhile; the caller treats it as a process that handles nothing.
    return null;
  }
}
