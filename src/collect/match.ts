/** Which of several processes is meant. Pure. */
import type { ProcessEntry } from './world.ts';

export interface Candidate {
  readonly pid: number;
  readonly startKey: number;
}

const MOST_ANCESTORS = 64;

/** The oldest; of several that started together the lowest pid. Undefined for none. */
export function oldest<C extends Candidate>(candidates: readonly C[]): C | undefined {
  return candidates.reduce<C | undefined>((best, next) => {
    if (best === undefined || next.startKey < best.startKey) return next;
    return next.startKey === best.startKey && next.pid < best.pid ? next : best;
  }, undefined);
}

/** Those that do not descend from another of them. */
export function withoutDescendants(
  candidates: readonly ProcessEntry[],
  table: ReadonlyMap<number, ProcessEntry>,
): ProcessEntry[] {
  const pids = new Set(candidates.map(({ pid }) => pid));
  return candidates.filter((entry) => {
    let { ppid } = entry;
    for (let depth = 0; depth < MOST_ANCESTORS && ppid > 0; depth++) {
      if (pids.has(ppid)) return false;
      ppid = table.get(ppid)?.ppid ?? 0;
    }
    return true;
  });
}

/** Pids by the pid of their parent. */
export function childrenByParent(table: Iterable<ProcessEntry>): Map<number, ProcessEntry[]> {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of table) {
    const siblings = children.get(entry.ppid);
    if (siblings) siblings.push(entry);
    else children.set(entry.ppid, [entry]);
  }
  return children;
}

/** Everything below the roots, the roots left out. */
export function descendants(
  roots: readonly number[],
  children: ReadonlyMap<number, readonly ProcessEntry[]>,
): ProcessEntry[] {
  const seen = new Set(roots);
  const found: ProcessEntry[] = [];
  const queue = [...roots];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}
