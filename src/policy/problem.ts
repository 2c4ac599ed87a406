import { codes } from '../errors.ts';

/** One fault of a policy, at the place where it can be mended. */
export interface PolicyProblem {
  /** the file as it was named; `environment`, `command line` or `policy` (a text) otherwise */
  readonly file: string;
  /** from 1; null when the fault has no place in a file */
  readonly line: number | null;
  readonly column: number | null;
  /** such as `targets[0].budget`, or the name of the variable or flag */
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}

/** What loadPolicy and parsePolicy throw for a policy that is not valid: every problem at once. */
export type PolicyInvalidError = InstanceType<typeof codes.MEM_POLICY_INVALID> & {
  readonly problems: readonly PolicyProblem[];
};

/** More than a person mends in one go; it bounds the work and the message of a hostile file. */
export const MAX_PROBLEMS = 100;

/** A MEM_POLICY_INVALID error whose message is one line per problem. */
export function createPolicyInvalidError(problems: readonly PolicyProblem[]): PolicyInvalidError {
  const told = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, MAX_PROBLEMS);
  return Object.assign(new codes.MEM_POLICY_INVALID(describeProblems(told)), { problems: told });
}

/** The problems an error carries; empty for any other error. */
export function problemsOf(error: unknown): readonly PolicyProblem[] {
  return error instanceof codes.MEM_POLICY_INVALID && 'problems' in error
    ? (error as PolicyInvalidError).problems
    : [];
}

/** `file:line: key: expected …, got …`, one line per problem. */
export function describeProblems(problems: readonly PolicyProblem[]): string {
  return problems.map(describeProblem).join('\n');
}

function describeProblem({ file, line, key, expected, got }: PolicyProblem): string {
  const place = line === null ? file : `${file}:${line}`;
  const subject = key === '' ? place : `${place}: ${key}`;
  return `${subject}: expected ${expected}, got ${got}`;
}
