import { describe, expect, it } from 'vitest';
import {
  type BoardSource,
  type BoardTarget,
  createRuleBoard,
  LOOK_BACK_TICKS,
} from '../../../src/detect/rule-board.ts';
import type { RulePolicy } from '../../../src/policy/policy.ts';

const MIB = 2 ** 20;
const HOUR = 3_600_000;

const rule = (over: Partial<RulePolicy>): RulePolicy => ({
  name: 'High',
  metricKey: 'process_memory_mb',
  comparison: 'greater_than',
  threshold: 100,
  clearValue: 100,
  windowMs: 600_000,
  forMs: 0,
  keepFiringForMs: 0,
  cooldownMs: 60_000,
  severity: 'critical',
  actions: ['notify'],
  target: null,
  times: null,
  withinMs: null,
  ...over,
});

const target = (name: string, column: number): BoardTarget => ({
  name,
  series: new Map([['rss_bytes', column]]),
  sinceMs: () => 0,
});

const source = (
  row: number[],
  medians: (atMs: number) => number = () => Number.NaN,
): BoardSource => ({
  row: Float64Array.from(row),
  firstMs: 0,
  medianAround: (_column, atMs) => medians(atMs),
  at: (_column, atMs) => medians(atMs),
});

const system: BoardTarget = {
  name: 'system',
  series: new Map([['used_bytes', 2]]),
  sinceMs: () => 0,
};
const facts = { systemTotalBytes: 1000 * MIB, heapLimitBytes: Number.NaN, nowMs: 0 };

function board(rules: RulePolicy[], targets = [target('a', 0), target('b', 1)]) {
  const made = createRuleBoard();
  made.sync({ rules, targets, system, ...facts });
  return made;
}

function evaluate(made: ReturnType<typeof board>, from: BoardSource, nowMs: number, tick = 0) {
  const heard: string[] = [];
  made.evaluate(from, { nowMs, tick }, (instance, event) =>
    heard.push(`${instance.target} ${instance.rule.name} ${event}`),
  );
  return heard;
}

describe('rule board', () => {
  it('applies a rule to every target, and a system rule once', () => {
    const made = board([rule({}), rule({ name: 'Sys', metricKey: 'system_memory_percent' })]);
    expect(made.instances().map(({ target: name }) => name)).toEqual(['a', 'b', 'system']);
  });

  it('applies a rule with a target to that one only', () => {
    const made = board([rule({ target: 'b' })]);
    expect(made.instances().map(({ target: name }) => name)).toEqual(['b']);
  });

  it('fires for the target that breaches and for no other, and shows the value of both', () => {
    const made = board([rule({})]);
    expect(evaluate(made, source([150 * MIB, 50 * MIB, 0]), 1000)).toEqual(['a High fired']);
    expect(made.instances().map(({ value }) => value)).toEqual([150, 50]);
  });

  it('takes a system percentage of the host, not of the target', () => {
    const made = board([
      rule({ name: 'Sys', metricKey: 'system_memory_percent', threshold: 85, clearValue: 85 }),
    ]);
    expect(evaluate(made, source([0, 0, 900 * MIB]), 1000)).toEqual(['system Sys fired']);
    expect(made.instances()[0]?.value).toBeCloseTo(90);
  });

  it('wakes a rule at rest with its value, be it unknown, and leaves its neighbours', () => {
    const made = board([rule({})]);
    const valuesAfter = (...row: number[]) => {
      evaluate(made, source(row), 1_000);
      return made.instances().map(({ value, state }) => [value, state.phase]);
    };
    expect(valuesAfter(50 * MIB, 60 * MIB)).toEqual([
      [50, 'inactive'],
      [60, 'inactive'],
    ]);
    expect(valuesAfter(50 * MIB, Number.NaN)).toEqual([
      [50, 'inactive'],
      [Number.NaN, 'unknown'],
    ]);
    expect(valuesAfter(50 * MIB, Number.NaN)).toEqual(valuesAfter(50 * MIB, Number.NaN));
    expect(valuesAfter(500 * MIB, 60 * MIB)).toEqual([
      [500, 'firing'],
      [60, 'inactive'],
    ]);
  });

  it('reads a series that a target has only since the last sync', () => {
    const made = board([rule({})], [{ ...target('a', 0), series: new Map() }]);
    expect(evaluate(made, source([500 * MIB]), 1_000)).toEqual([]);
    made.sync({ rules: [rule({})], targets: [target('a', 0)], system, ...facts });
    expect(evaluate(made, source([500 * MIB]), 2_000)).toEqual(['a High fired']);
  });

  it('is unknown for a target that has no such series', () => {
    const made = board([rule({ metricKey: 'chat_sessions' })]);
    evaluate(made, source([1, 1, 1]), 1000);
    expect(made.instances().map(({ state }) => state.phase)).toEqual(['unknown', 'unknown']);
  });

  it('keeps a state over a change of policy, and tells of a firing rule that is gone', () => {
    const made = board([rule({}), rule({ name: 'Other' })]);
    evaluate(made, source([150 * MIB, 0, 0]), 1000);
    const ended = made.sync({
      rules: [rule({ threshold: 90 })],
      targets: [target('a', 0)],
      system,
      ...facts,
    });
    expect(ended.map(({ rule: { name }, target: of }) => `${name} ${of}`)).toEqual(['Other a']);
    expect(made.instances()[0]?.state.phase).toBe('firing');
  });

  it('hands over changed states once, and takes them back on the other side of a restart', () => {
    const made = board([rule({})]);
    made.takeChanged();
    evaluate(made, source([150 * MIB, 0, 0]), 1000);
    const states = made.takeChanged();
    expect([...states.values()].map((state) => state?.phase)).toContain('firing');
    expect(made.takeChanged().size).toBe(0);

    const again = createRuleBoard();
    again.restore(new Map([...states].flatMap(([key, state]) => (state ? [[key, state]] : []))));
    again.sync({ rules: [rule({})], targets: [target('a', 0)], system, ...facts });
    expect(evaluate(again, source([150 * MIB, 0, 0]), 2000)).toEqual([]);
    expect(again.instances()[0]?.state.phase).toBe('firing');
  });

  it('steps a rule that looks back once in a round of ticks', () => {
    let asked = 0;
    const made = board(
      [rule({ comparison: 'percent_change', threshold: 20, clearValue: 20 })],
      [target('a', 0)],
    );
    const from = source([0, 0, 0], (atMs) => {
      asked++;
      return atMs < 2 * HOUR - 300_000 ? 100 * MIB : 150 * MIB;
    });
    const heard = Array.from({ length: LOOK_BACK_TICKS }, (_, tick) =>
      evaluate(made, from, 2 * HOUR + tick * 1000, tick),
    ).flat();
    expect(heard).toEqual(['a High fired']);
    expect(made.instances()[0]?.value).toBeCloseTo(50);
    expect(asked).toBeLessThan(10);
  });

  it('moves with a clock that was stepped', () => {
    const made = board([rule({})]);
    evaluate(made, source([150 * MIB, 0, 0]), 10 * HOUR);
    made.rebase(-HOUR);
    expect(made.instances()[0]?.state.firingSinceMs).toBe(9 * HOUR);
  });
});
