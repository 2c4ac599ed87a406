/**
 * Who listens on a TCP port: the socket's inode from /proc/net/tcp{,6}, then the processes that
 * hold a descriptor on it. Several do after a fork; the caller takes the oldest.
 *
 * Cost: while nothing listens, the two tables; otherwise one readlink for each descriptor of each
 * process, so ask rarely.
 * Source: proc_net(5): local address and port in hex, state 0A is LISTEN, the tenth column is the inode.
 */
import fs from 'node:fs';
import { describeProblem, readText } from './files.ts';
import { listPids } from './process-table.ts';

const LISTEN = '0A';

/** Inodes of the sockets that listen on the port, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === LISTEN)
    .map((columns) => columns[9] ?? '');
}

/** Pids, or why there is none. */
export function listeners(procRoot: string, port: number): number[] | string {
  const inodes = ['tcp', 'tcp6'].flatMap((table) =>
    listeningInodes(readText(`${procRoot}/net/${table}`).text ?? '', port),
  );
  if (inodes.length === 0) return `nothing listens on port ${port}`;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const alive = listPids(procRoot);
  if (typeof alive === 'string') return `the process table: ${describeProblem(alive)}`;
  const pids = alive.filter((pid) => holdsAny(`${procRoot}/${pid}/fd`, sockets));
  if (pids.length > 0) return pids;
  return `port ${port} is listened on, but by a process that cannot be seen from here`;
}

/** A process that vanished or may not be looked at holds nothing that we could watch. */
function holdsAny(directory: string, sockets: ReadonlySet<string>): boolean {
  try {
    return fs.readdirSync(directory).some((fd) => holds(`${directory}/${fd}`, sockets));
  } catch {
    return false;
  }
}

function holds(link: string, sockets: ReadonlySet<string>): boolean {
  try {
    return sockets.has(fs.readlinkSync(link));
  } catch {
    return false;
  }
}
