/**
 * Regular expressions for command lines, which are other people's text: a matcher that back-tracks, as
 * RegExp does, never comes back from `(a|a)*$` on a long title. RE2 takes time linear in the text; in
 * return it has no look-around and no back-references.
 *
 * Cost: 2 MiB once a policy has a pattern, and about 15 KB and 0.2 ms for each. 1,000 titles of 4,096
 * characters take 15 ms, and 40 ms with `(a|a)*$`. The states it remembers are at most 8 MB a pattern.
 */

import { createRequire } from 'node:module';
import type { RE2JS, RE2JSSyntaxException } from 're2js';
import type { CommandPattern } from './policy.ts';

const require = createRequire(import.meta.url);

/** What RegExp has and RE2 has not, by how it begins. */
const LACKING: readonly (readonly [begins: RegExp, name: string])[] = [
  [/^\(\?<?[=!]/, 'look-around'],
  [/^\\(\d|k)/, 'back-references'],
];

const SUPPORTED = 'groups, |, classes, repetition up to {1000}, ^, $, \\b and (?i) are there';

/** Searches anywhere in the text, and tells cases apart unless `(?i)` says otherwise. */
class LinearPattern implements CommandPattern {
  readonly source: string;
  // private, since the policy is frozen in depth and this one learns as it matches
  readonly #program: RE2JS;

  constructor(source: string) {
    this.source = source;
    this.#program = compile(source);
  }

  test(text: string): boolean {
    return this.#program.test(text);
  }

  toString(): string {
    return `/${this.source}/`;
  }
}

/** @throws when `unmetByPattern` has something to say of the source */
export function createCommandPattern(source: string): CommandPattern {
  return new LinearPattern(source);
}

/** What is expected in place of this source, or null when RE2 understands it. */
export function unmetByPattern(source: string): string | null {
  try {
    compile(source);
    return null;
  } catch (fault) {
    const { error, input } = fault as Partial<RE2JSSyntaxException>;
    const lacking = LACKING.find(([begins]) => begins.test(input ?? ''));
    return lacking === undefined
      ? `a regular expression in RE2 syntax (${error ?? 'this one is too large'})`
      : `a regular expression without ${lacking[1]} (RE2 syntax: ${SUPPORTED})`;
  }
}

/** Loaded when it is needed: 260 KB of source that a policy without patterns need not hold. */
function compile(source: string): RE2JS {
  const engine = require('re2js') as typeof import('re2js');
  return engine.RE2JS.compile(source);
}
