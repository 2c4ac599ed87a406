import { createCommandPattern } from './command-pattern.ts';
import type {
  BudgetPercents,
  BudgetPolicy,
  CleanerPolicy,
  Match,
  Policy,
  TargetPolicy,
} from './policy.ts';
import type { RawPolicy } from './schema.ts';
import { MEBIBYTE, parseDuration, parseSize } from './units.ts';

type RawTarget = RawPolicy['targets'][number];

/** A size as written, or a number of MiB, with the shares at which it is nearly used up. */
export function budgetOf(size: string | number, percents: BudgetPercents): BudgetPolicy {
  return { maxBytes: parseSize(size, { numberUnit: MEBIBYTE }), ...percents };
}

/** Its own budget comes before the one of the service of the same name. */
export function targetPolicy(
  target: RawTarget,
  { budgetPercents, serviceBudgets }: Pick<Policy, 'budgetPercents' | 'serviceBudgets'>,
): TargetPolicy {
  const { name, budget, restart } = target;
  return {
    name,
    match: matchOf(target.match),
    includeChildren: target.include_children,
    budget: budget === null ? (serviceBudgets.get(name) ?? null) : budgetOf(budget, budgetPercents),
    attach: target.attach,
    roles: target.roles.map(({ role, match, max_count: maxCount, memory }) => ({
      role,
      match: createCommandPattern(match),
      maxCount,
      memoryBytes: memory === null ? null : parseSize(memory),
    })),
    cleaners: target.cleaners.map(cleanerPolicy),
    restart:
      restart === undefined
        ? null
        : {
            command: restart.command,
            when: restart.when,
            maxRestarts: restart.max_restarts,
            withinMs: parseDuration(restart.within),
          },
  };
}

function matchOf(match: RawTarget['match']): Match {
  if (match.pid !== undefined) return { pid: match.pid };
  if (match.pid_file !== undefined) return { pidFile: match.pid_file };
  if (match.command !== undefined) return { command: createCommandPattern(match.command) };
  if (match.port !== undefined) return { port: match.port };
  if (match.cgroup !== undefined) return { cgroup: match.cgroup };
  if (match.unit !== undefined) return { unit: match.unit };
  return { self: true };
}

function cleanerPolicy(cleaner: RawTarget['cleaners'][number]): CleanerPolicy {
  const { http, reclaim } = cleaner;
  return {
    name: cleaner.name,
    level: cleaner.level,
    timeoutMs: parseDuration(http?.timeout ?? cleaner.timeout),
    http: http === undefined ? null : { url: http.url, method: http.method },
    // check-targets.ts compared it with the signals of this system
    signal: (cleaner.signal as NodeJS.Signals | undefined) ?? null,
    gc: cleaner.gc ?? false,
    command: cleaner.command ?? null,
    reclaimBytes: reclaim === undefined ? null : parseSize(reclaim),
  };
}
