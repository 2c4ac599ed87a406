import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/load.ts';
import { toldOf } from './problems.ts';

const MEBIBYTE = 2 ** 20;

describe('YAML that is not plain', () => {
  it.each([
    ['server: &a { port: 1 }', 'got an anchor (&)'],
    ['server: *a', 'got an alias (*)'],
    ['a: &a [x]\nb: [*a, *a]', 'got an alias (*)'],
    ['? &a server\n: { port: 1 }', 'got an anchor (&)'],
    ['server: !!js/function "x"', 'got a tag (!)'],
    ['server: !secret x', 'got a tag (!)'],
    ['server: !!map { port: 1 }', 'got a tag (!)'],
    [
      'server: { port: 1 }\nserver: { port: 2 }',
      '2 server: expected plain YAML: mappings, lists and values, got the same key twice',
    ],
    ['server: { port: 1, "port": 2 }', 'got the same key twice'],
    ['__proto__: { polluted: true }', 'got a forbidden key'],
    ['server: { constructor: { prototype: 1 } }', 'got a forbidden key'],
    ['<<: { server: { port: 1 } }', '<<: expected one of server'],
    [
      'server: { port: 1 }\n---\nserver: { port: 2 }',
      '2 : expected one YAML document, got 2 documents',
    ],
    ['---\nserver: {}\n---\n', '3 : expected one YAML document, got 2 documents'],
    ['a: 1\n...\nb: 2\n---\nc: 3', '3 : expected one YAML document, got 3 documents'],
    ['- server', 'expected a mapping, got a list'],
    ['server', 'expected a mapping, got "server"'],
    ['12', 'expected a mapping, got 12'],
    ['{', 'expected valid YAML'],
    ['server:\n\tport: 1', 'expected valid YAML'],
    ['[a]: 1', 'expected valid YAML'],
    ['{ a: b }: 1', 'expected valid YAML'],
    ['\u0000', 'expected a mapping'],
  ])('%j is refused', (text, told) => {
    expect(toldOf(text).join('\n')).toContain(told);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('of another version is read by the same rules', () => {
    const { server } = parsePolicy('%YAML 1.1\n---\nserver: { protect_metrics: true, port: 010 }');
    expect([server.protectMetrics, server.port]).toEqual([true, 10]);
    expect(toldOf('%YAML 1.1\n---\nserver: { protect_metrics: yes }')).toHaveLength(1);
  });
});

describe('YAML made to cost', () => {
  const cases: Record<string, string> = {
    'a megabyte and a byte': 'x'.repeat(MEBIBYTE + 1),
    'open brackets': '['.repeat(MEBIBYTE),
    'open braces': '{'.repeat(MEBIBYTE),
    'closing brackets': ']'.repeat(MEBIBYTE),
    dashes: '- '.repeat(MEBIBYTE / 2),
    'question marks': '? '.repeat(MEBIBYTE / 2),
    'nested pairs': Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    documents: '---\n'.repeat(MEBIBYTE / 4),
    keys: Array.from({ length: 30_000 }, (_, index) => `key${index}: 1`).join('\n'),
    'one key over and over': 'key: 1\n'.repeat(30_000),
    'anchors and aliases': `a: &a [1]\nb: [${'*a, '.repeat(30_000)}]`,
    'doubling aliases': `a0: &a0 [x]\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`,
    'a list of a hundred thousand': `targets: [${'1,'.repeat(45_000)}]`,
    'names near to known ones': Array.from(
      { length: 20_000 },
      (_, index) => `targes${index}: 1`,
    ).join('\n'),
    digits: `server: { port: ${'9'.repeat(MEBIBYTE - 100)} }`,
    'a quote without an end': `"${'\\'.repeat(MEBIBYTE - 2)}`,
  };

  it.each(Object.entries(cases))('%s is refused in bounded time and words', (_, text) => {
    const started = performance.now();
    const told = toldOf(text);
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(told.length).toBeGreaterThan(0);
    expect(told.join('\n').length).toBeLessThan(50_000);
  });
});

describe('any text at all', () => {
  const outcomeOf = (text: string): string => {
    try {
      parsePolicy(text);
      return 'a policy';
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
  };
  const judged = (text: string): void => {
    expect(['a policy', 'MEM_POLICY_INVALID']).toContain(outcomeOf(text));
  };

  it('is a policy or MEM_POLICY_INVALID', () => {
    const scraps = fc.constantFrom(
      'server',
      'targets',
      'match',
      ':',
      ': ',
      '\n',
      '\n  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a',
      '*a',
      '!!',
      '"',
      "'",
      '|',
      '>',
      '#',
      '?',
      '%YAML 1.1\n',
      '---\n',
      '...\n',
      '1',
      '.nan',
      'null',
      '\t',
      '\u0000',
      '\uFEFF',
      '\uD800',
      '<<',
    );
    const yaml = fc.array(fc.oneof(scraps, fc.string({ unit: 'binary', maxLength: 4 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(yaml, (parts) => judged(parts.join(''))),
      { numRuns: 1_000 },
    );
  });

  it('and so is any value under any known key', () => {
    const sections = [
      'server',
      'sampling',
      'history',
      'data_dir',
      'memory_budgets',
      'targets',
      'thresholds',
      'pressure',
      'leak_detection',
      'auto_cleanup',
      'orphans',
      'alerts',
      'oversight',
      'ledger',
    ];
    const keys = [
      'name',
      'match',
      'pid',
      'command',
      'global',
      'services',
      'interval',
      'cleaners',
      'http',
      'url',
      'roles',
      'restart',
      'channels',
      'recipients',
      'warning',
      'comparison',
      'metric_key',
      'threshold_value',
      'times',
      'within',
      'toString',
      'valueOf',
    ];
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 0 }),
        fc.constantFrom(
          '1s',
          '512MB',
          'absent',
          'percent_change',
          'log',
          'webhook',
          'a',
          'self',
          '(',
          'http://a',
        ),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 4 }),
      ),
    }));
    const policies = fc.dictionary(fc.constantFrom(...sections), value, { maxKeys: 4 });
    fc.assert(
      fc.property(policies, (policy) => judged(JSON.stringify(policy))),
      { numRuns: 1_000 },
    );
  });
});
