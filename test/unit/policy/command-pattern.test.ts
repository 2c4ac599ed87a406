import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCommandPattern, unmetByPattern } from '../../../src/policy/command-pattern.ts';
import { parsePolicy } from '../../../src/policy/load.ts';

const LONG_TITLE = `${'a'.repeat(4096)}!`;

/** The pattern of a target, and that of a role. */
function patternsOf(source: string) {
  const quoted = JSON.stringify(source);
  const [target] = parsePolicy(
    `targets: [{ name: a, match: { command: ${quoted} }, roles: [{ role: r, match: ${quoted} }] }]`,
  ).targets;
  const [role] = target?.roles ?? [];
  return target && 'command' in target.match && role ? [target.match.command, role.match] : [];
}

function cpuMsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe('a pattern of the policy', () => {
  it.each([
    ['(a|a)*$', true],
    ['(a|a)*$b', false],
    ['a*a*a*a*a*a*a*a*a*a*a*b$', false],
    ['(a+)+$', false],
  ])('%s answers on a long title at once', (source, isFound) => {
    const patterns = patternsOf(source);
    expect(patterns).toHaveLength(2);
    for (const pattern of patterns) {
      expect(cpuMsOf(() => pattern.test(LONG_TITLE))).toBeLessThan(200);
      expect(pattern.test(LONG_TITLE)).toBe(isFound);
    }
  });

  it('asks 1,000 long titles in a moment', () => {
    const pattern = createCommandPattern('node .*server\\.js');
    const titles = Array.from({ length: 1_000 }, (_, index) =>
      `node /srv/app-${index}/serve.js `.repeat(200).slice(0, 4_096),
    );
    expect(cpuMsOf(() => titles.forEach((title) => void pattern.test(title)))).toBeLessThan(1_000);
  });

  it('is searched for anywhere, and tells cases apart', () => {
    const pattern = createCommandPattern('Server');
    expect(
      ['node Server.js', 'Server', 'node server.js', ''].map((text) => pattern.test(text)),
    ).toEqual([true, true, false, false]);
    expect(createCommandPattern('(?i)Server').test('node server.js')).toBe(true);
    expect(createCommandPattern('^node$').test('node x')).toBe(false);
  });

  it('finds what a RegExp finds, each time it is asked', () => {
    const sources = ['^node', 'b$', 'a.*b', '[^a]b', '(ab|ba){2,}', '\\bab\\b', 'a+?b', '\\.js'];
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '.', 'j', 's', 'node') });
    const pairs = sources.map(
      (source) => [createCommandPattern(source), new RegExp(source)] as const,
    );
    fc.assert(
      fc.property(text, (title) => {
        for (const [pattern, expression] of pairs) {
          expect([pattern.test(title), pattern.test(title)]).toEqual(
            Array(2).fill(expression.test(title)),
          );
        }
      }),
    );
  });

  it('is shown by its source', () => {
    expect([`${createCommandPattern('a/b')}`, createCommandPattern('a/b').source]).toEqual([
      '/a/b/',
      'a/b',
    ]);
  });
});

describe('what RE2 does not know is refused by name', () => {
  it.each([
    ['a(?=b)', /without look-around \(RE2 syntax: groups,/],
    ['a(?!b)', /without look-around/],
    ['(?<=a)b', /without look-around/],
    ['(?<!a)b', /without look-around/],
    ['(a)\\1', /without back-references/],
    ['(?<n>a)\\k<n>', /without back-references/],
    ['(', /in RE2 syntax \(missing closing \)\)/],
    ['[', /in RE2 syntax \(missing closing \]\)/],
    ['a{1001}', /in RE2 syntax \(invalid repeat count\)/],
  ])('%s', (source, told) => {
    expect(unmetByPattern(source)).toMatch(told);
    expect(() => createCommandPattern(source)).toThrow();
  });

  it.each(['node .*server\\.js', 'uvx|chroma-mcp', '(?i)x', '(?<n>a)', '\\/srv\\/', '\\p{L}'])(
    'and %s is not',
    (source) => expect(unmetByPattern(source)).toBeNull(),
  );
});
