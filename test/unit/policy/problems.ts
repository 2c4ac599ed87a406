import { type ParseOptions, parsePolicy } from '../../../src/policy/load.ts';
import { type PolicyProblem, problemsOf } from '../../../src/policy/problem.ts';

/** Every problem of a text; none when it is valid. */
export function problemsIn(text: string, options: ParseOptions = {}): readonly PolicyProblem[] {
  try {
    parsePolicy(text, options);
    return [];
  } catch (error) {
    const problems = problemsOf(error);
    if (problems.length === 0) throw error;
    return problems;
  }
}

/** The same as `line key: expected …, got …`. */
export function toldOf(text: string, options: ParseOptions = {}): string[] {
  return problemsIn(text, options).map(
    ({ line, key, expected, got }) => `${line} ${key}: expected ${expected}, got ${got}`,
  );
}
