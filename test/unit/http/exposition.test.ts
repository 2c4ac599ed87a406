import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createExposition, type FamilySpec } from '../../../src/http/exposition.ts';
import { needs } from '../../e2e/tools.ts';

const RSS: FamilySpec = {
  name: 'memwarden_target_resident_memory_bytes',
  help: 'Resident memory.',
  type: 'gauge',
};

interface ParsedSeries {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const unescapeLabelValue = (text: string): string =>
  text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

const parseValue = (text: string): number => Number(text.replace('Inf', 'Infinity'));

const parseLine = (line: string): ParsedSeries => {
  const [, name = '', labels = '', value = ''] =
    /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s.exec(line) ?? [];
  const pairs = labels.matchAll(/([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"(?:,|$)/gs);
  return {
    name,
    labels: Object.fromEntries(
      [...pairs].map(([, key = '', text = '']) => [key, unescapeLabelValue(text)]),
    ),
    value: parseValue(value),
  };
};

const parse = (page: string): ParsedSeries[] => {
  if (page === '') return [];
  expect(page.endsWith('\n')).toBe(true);
  return page
    .slice(0, -1)
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map(parseLine);
};

const pageOf = (value: number): string => {
  const exposition = createExposition();
  exposition.family(RSS).sample({}, () => value);
  return exposition.render();
};

const arbitraryLabels = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,8}$/),
  fc.string({ unit: 'binary', maxLength: 20 }),
  { maxKeys: 4, noNullPrototype: true },
);

describe('the page', () => {
  it('is empty when nothing is known', () => {
    const exposition = createExposition();
    exposition.family(RSS);
    expect(exposition.render()).toBe('');
  });

  it('prints families and series in the order they were made, labels sorted', () => {
    const exposition = createExposition();
    const limit = exposition.family({ name: 'limit_bytes', help: 'The limit.', type: 'gauge' });
    const runs = exposition.family({ name: 'runs_total', help: 'Runs.', type: 'counter' });
    runs.sample({}, () => 3);
    limit.sample({ target: 'web', kind: 'v8' }, () => 2);
    limit.sample({ target: 'api', kind: 'cgroup' }, () => 1);
    const page = [
      '# HELP limit_bytes The limit.',
      '# TYPE limit_bytes gauge',
      'limit_bytes{kind="v8",target="web"} 2',
      'limit_bytes{kind="cgroup",target="api"} 1',
      '# HELP runs_total Runs.',
      '# TYPE runs_total counter',
      'runs_total 3',
      '',
    ].join('\n');
    expect(exposition.render()).toBe(page);
    expect(exposition.render()).toBe(page);
  });

  it('leaves out what is unknown, and the header of a family of which all is unknown', () => {
    let known = Number.NaN;
    const exposition = createExposition();
    const rss = exposition.family(RSS);
    rss.sample({ target: 'api' }, () => known);
    exposition.family({ name: 'up', help: 'Up.', type: 'gauge' }).sample({}, () => 1);
    expect(exposition.render()).toBe('# HELP up Up.\n# TYPE up gauge\nup 1\n');
    known = 0;
    expect(parse(exposition.render())).toContainEqual({
      name: RSS.name,
      labels: { target: 'api' },
      value: 0,
    });
  });

  it('escapes what would break a line of help', () => {
    const exposition = createExposition();
    exposition
      .family({ name: 'a', help: 'back\\slash\nand "quotes"', type: 'untyped' })
      .sample({}, () => 1);
    expect(exposition.render().split('\n')[0]).toBe('# HELP a back\\\\slash\\nand "quotes"');
  });

  it('outgrows its first buffer without losing a byte', () => {
    const exposition = createExposition();
    const family = exposition.family(RSS);
    const expected = Array.from({ length: 5_000 }, (_, index) => ({
      name: RSS.name,
      labels: { target: `target-${index}` },
      value: index,
    }));
    for (const { labels, value } of expected) family.sample(labels, () => value);
    expect(parse(exposition.render())).toEqual(expected);
  });

  it('keeps an earlier page as it was', () => {
    let value = 1;
    const exposition = createExposition();
    exposition.family(RSS).sample({}, () => value);
    const earlier = exposition.render();
    value = 2;
    exposition.render();
    expect(earlier).toMatch(/ 1\n$/);
  });
});

describe('a cell', () => {
  it('follows the row when it is replaced, and scales it', () => {
    const source = { row: Float64Array.of(0, 1_500) };
    const exposition = createExposition();
    exposition.family(RSS).sample({}, { source, column: 1, scale: 1 / 1_000 });
    expect(parse(exposition.render())[0]?.value).toBe(1.5);
    source.row = Float64Array.of(0, 2_000, 0);
    expect(parse(exposition.render())[0]?.value).toBe(2);
  });

  it('is absent when its column is past the end of the row', () => {
    const exposition = createExposition();
    exposition.family(RSS).sample({}, { source: { row: new Float64Array(1) }, column: 1 });
    expect(exposition.render()).toBe('');
  });
});

describe('a sample', () => {
  it('is gone after remove, and may be added again', () => {
    const exposition = createExposition();
    const family = exposition.family(RSS);
    const first = family.sample({ target: 'api' }, () => 1);
    first.remove();
    expect(exposition.render()).toBe('');
    family.sample({ target: 'api' }, () => 2);
    first.remove();
    expect(parse(exposition.render()).map(({ value }) => value)).toEqual([2]);
  });

  it('refuses a label set its family has, in whatever order it is given', () => {
    const family = createExposition().family(RSS);
    family.sample({ target: 'api', kind: 'v8' }, () => 1);
    expect(() => family.sample({ kind: 'v8', target: 'api' }, () => 1)).toThrow(TypeError);
  });

  it('refuses two label values that are the same once they are UTF-8', () => {
    const family = createExposition().family(RSS);
    family.sample({ target: '\ud800' }, () => 1);
    expect(() => family.sample({ target: '\udbff' }, () => 1)).toThrow(TypeError);
  });

  it.each(['', '1st', 'a-b', '__name__', 'é', 'a b', 'a\n'])(
    'refuses the label name %j',
    (name) => {
      const family = createExposition().family(RSS);
      expect(() => family.sample({ [name]: 'x' }, () => 1)).toThrow(TypeError);
    },
  );
});

describe('a family', () => {
  it.each(['', '1st', 'a-b', 'a{b}', 'a b', 'a\n'])('refuses the metric name %j', (name) => {
    expect(() => createExposition().family({ ...RSS, name })).toThrow(TypeError);
  });

  it('refuses a name that is taken', () => {
    const exposition = createExposition();
    exposition.family(RSS);
    expect(() => exposition.family(RSS)).toThrow(/exists already/);
  });
});

describe('a number', () => {
  it.each([
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [-0, '0'],
    [99_999_999, '99999999'],
    [100_000_000, '100000000'],
    [800_000_005, '800000005'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [Number.MIN_SAFE_INTEGER, '-9007199254740991'],
    [-Number.MIN_VALUE, '-5e-324'],
    [-2.2250738585072014e-308, '-2.2250738585072014e-308'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
  ])('%d is written %s', (value, text) => {
    expect(pageOf(value)).toMatch(new RegExp(` ${text.replaceAll('+', '\\+')}\n$`));
  });

  it('writes every whole number plainly', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(pageOf(value).endsWith(` ${value}\n`)).toBe(true);
      }),
    );
  });

  it('does not round up between the two halves of a large number', () => {
    fc.assert(
      fc.property(fc.nat(90_071_991), fc.integer({ min: -2, max: 2 }), (high, offset) => {
        const value = high * 1e8 + offset;
        expect(pageOf(value).endsWith(` ${value}\n`)).toBe(true);
      }),
    );
  });
});

describe('what is written reads back', () => {
  it('for any labels and any double', () => {
    fc.assert(
      fc.property(arbitraryLabels, fc.double({ noNaN: true }), (labels, value) => {
        const exposition = createExposition();
        exposition.family(RSS).sample(labels, () => value);
        expect(parse(exposition.render())).toEqual([
          { name: RSS.name, labels, value: value === 0 ? 0 : value },
        ]);
      }),
    );
  });

  it('by promtool, without a complaint', (context) => {
    needs('promtool', context);
    const exposition = createExposition();
    const rss = exposition.family(RSS);
    rss.sample({ target: 'a "quoted"\\\n{target="x"} 1' }, () => 1.5);
    rss.sample({ target: '日本語 \u0000 \r 🧠' }, () => Number.POSITIVE_INFINITY);
    exposition
      .family({ name: 'memwarden_reaped_total', help: 'Reaped.', type: 'counter' })
      .sample({}, () => 2 ** 60);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: exposition.render(),
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
