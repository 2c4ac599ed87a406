/** What must hold within and between the targets. */

import { constants } from 'node:os';
import { checkDuplicates } from './check-duplicates.ts';
import { expectOneOf } from './did-you-mean.ts';
import { describeValue, type Finding, type Path } from './finding.ts';
import type { RawPolicy } from './schema.ts';
import { isLoopback } from './url.ts';

type RawTarget = RawPolicy['targets'][number];
type RawCleaner = RawTarget['cleaners'][number];

const MATCH_KEYS = ['self', 'pid', 'pid_file', 'command', 'port', 'cgroup', 'unit'] as const;
const CLEANER_KEYS = ['http', 'signal', 'gc', 'command', 'reclaim'] as const;

/** No process can handle these two, so they clean nothing up. */
const UNCATCHABLE = ['SIGKILL', 'SIGSTOP'];
const SIGNALS = Object.keys(constants.signals).filter((name) => !UNCATCHABLE.includes(name));

const RESTART_WHEN = /^(leak>=(low|medium|high|critical)|budget>=(warning|critical))$/;

/** Faults of a policy whose shape is right. */
export function checkTargets({ targets, memory_budgets: budgets }: RawPolicy): Finding[] {
  return [
    ...checkDuplicates(['targets'], targets),
    ...checkSelf(targets),
    ...targets.flatMap((target, index) => checkTarget(target, ['targets', index])),
    ...Object.keys(budgets.services)
      .filter((name) => name === 'system')
      .map((name) => reservedName(['memory_budgets', 'services', name])),
  ];
}

function checkTarget(target: RawTarget, path: Path): Finding[] {
  return [
    ...(target.name === 'system' ? [reservedName([...path, 'name'])] : []),
    ...exactlyOne(target.match, MATCH_KEYS, [...path, 'match']),
    ...checkDuplicates([...path, 'cleaners'], target.cleaners),
    ...target.cleaners.flatMap((cleaner, index) =>
      checkCleaner(cleaner, [...path, 'cleaners', index]),
    ),
    ...checkRoles(target, path),
    ...checkRestart(target, path),
  ];
}

function checkSelf(targets: readonly RawTarget[]): Finding[] {
  const selves = targets.map(({ match }) => match.self === true);
  return targets.flatMap(({ name }, index) => {
    const path = ['targets', index];
    if (name === 'self' && !selves[index]) {
      const expected = 'another name: self is memwarden, unless match is { self: true }';
      return [{ path: [...path, 'name'], expected, got: '"self"' }];
    }
    if (!selves[index] || selves.indexOf(true) === index) return [];
    const got = 'a second one';
    return [{ path: [...path, 'match', 'self'], expected: 'one target that is self', got }];
  });
}

function checkCleaner(cleaner: RawCleaner, path: Path): Finding[] {
  const { signal } = cleaner;
  const findings = exactlyOne(cleaner, CLEANER_KEYS, path);
  if (signal !== undefined && !SIGNALS.includes(signal)) {
    const expected = UNCATCHABLE.includes(signal)
      ? 'a signal a process can handle'
      : expectOneOf(signal, SIGNALS);
    findings.push({ path: [...path, 'signal'], expected, got: describeValue(signal) });
  }
  if (cleaner.http && !isLoopback(new URL(cleaner.http.url).hostname)) {
    const expected = 'a URL on this machine: localhost, 127.0.0.1 or [::1]';
    const got = describeValue(cleaner.http.url);
    findings.push({ path: [...path, 'http', 'url'], expected, got });
  }
  return findings;
}

function checkRoles({ roles }: RawTarget, path: Path): Finding[] {
  const named = roles.map(({ role }) => ({ name: role }));
  return checkDuplicates([...path, 'roles'], named).map((finding) => ({
    ...finding,
    path: [...finding.path.slice(0, -1), 'role'],
  }));
}

function checkRestart({ restart }: RawTarget, path: Path): Finding[] {
  if (restart === undefined || RESTART_WHEN.test(restart.when)) return [];
  const expected = 'leak>=low|medium|high|critical or budget>=warning|critical';
  return [{ path: [...path, 'restart', 'when'], expected, got: describeValue(restart.when) }];
}

function exactlyOne(value: object, keys: readonly string[], path: Path): Finding[] {
  const given = keys.filter((key) => Object.hasOwn(value, key));
  if (given.length === 1) return [];
  const got = given.length === 0 ? 'none' : given.join(' and ');
  return [{ path, expected: `exactly one of ${keys.join(', ')}`, got }];
}

function reservedName(path: Path): Finding {
  return { path, expected: 'another name: system is the host', got: '"system"' };
}
