import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialRuleState, isAtRest, type RuleState, stepRule } from '../../../src/detect/rule.ts';
import type { RulePolicy } from '../../../src/policy/policy.ts';
import { aRule } from './a-rule.ts';

const GOOD = 0;
const BAD = 200;
const seconds = (max: number) => fc.integer({ min: 0, max }).map((s) => s * 1000);

const anyRule = fc
  .record({
    forMs: seconds(30),
    keepFiringForMs: seconds(30),
    cooldownMs: seconds(60),
    clearValue: fc.constantFrom(50, 100),
    threshold: fc.constant(100),
    xOfY: fc.option(fc.record({ times: fc.integer({ min: 1, max: 4 }), withinMs: seconds(30) })),
  })
  .map(({ xOfY, ...rule }) => aRule({ ...rule, ...xOfY }));

const anyValue = fc.constantFrom(GOOD, 75, BAD, BAD + 1, NaN);
const forward = fc.array(
  fc.record({ value: anyValue, afterMs: fc.integer({ min: 1, max: 20_000 }) }),
);
const anyClock = fc.array(
  fc.record({ value: anyValue, afterMs: fc.integer({ min: -1e6, max: 1e6 }) }),
);

interface Seen {
  atMs: number;
  value: number;
  event: string | null;
  before: RuleState;
  state: RuleState;
}

function play(rule: RulePolicy, inputs: { value: number; afterMs: number }[]): Seen[] {
  let state = initialRuleState(0);
  let atMs = 0;
  return inputs.map(({ value, afterMs }) => {
    atMs += afterMs;
    const before = state;
    const step = stepRule(rule, before, value, atMs);
    state = step.state;
    return { atMs, value, event: step.event, before, state };
  });
}

describe('any rule', () => {
  it('comes to rest once values are good and time goes on, whatever the clock did', () => {
    fc.assert(
      fc.property(anyRule, anyClock, (rule, inputs) => {
        const calm = Array.from({ length: 70 }, () => ({ value: GOOD, afterMs: 1000 }));
        const last = play(rule, [...inputs, ...calm]).at(-1);
        expect(['inactive', 'resolved']).toContain(last?.state.phase);
      }),
    );
  });

  it('at rest, is changed by no other evaluation of the same value, however late', () => {
    fc.assert(
      fc.property(anyRule, forward, fc.integer({ min: 0, max: 1e7 }), (rule, inputs, laterMs) => {
        for (const { atMs, value, state } of play(rule, inputs)) {
          if (!isAtRest(rule, state, value)) continue;
          expect(stepRule(rule, state, value, atMs + laterMs)).toEqual({ state, event: null });
        }
      }),
    );
  });

  it('fires once values are bad and time goes on, whatever the clock did', () => {
    fc.assert(
      fc.property(anyRule, anyClock, (rule, inputs) => {
        fc.pre(rule.times === null || (rule.withinMs ?? 0) >= rule.times * 1000);
        const storm = Array.from({ length: 70 }, () => ({ value: BAD, afterMs: 1000 }));
        expect(play(rule, [...inputs, ...storm]).at(-1)?.state.phase).toBe('firing');
      }),
    );
  });

  it('never fires because the clock went back', () => {
    fc.assert(
      fc.property(anyRule, fc.integer({ min: 1, max: 1e9 }), (rule, backMs) => {
        fc.pre(rule.forMs > 0);
        const [, second] = play(rule, [
          { value: BAD, afterMs: 0 },
          { value: BAD, afterMs: -backMs },
        ]);
        expect(second?.state.phase).not.toBe('firing');
      }),
    );
  });

  it('fires only after `for` of nothing but breaches', () => {
    fc.assert(
      fc.property(anyRule, forward, (rule, inputs) => {
        fc.pre(rule.times === null);
        const seen = play(rule, inputs);
        for (const [i, { before, state, atMs }] of seen.entries()) {
          if (before.phase === 'firing' || state.phase !== 'firing') continue;
          const since = seen.slice(0, i + 1).filter((step) => step.atMs >= atMs - rule.forMs);
          expect(since.every((step) => step.value > rule.threshold)).toBe(true);
        }
      }),
    );
  });

  it('resolves only at a known value that is back, `keep_firing_for` after the last breach', () => {
    fc.assert(
      fc.property(anyRule, forward, (rule, inputs) => {
        for (const { before, state, value, atMs } of play(rule, inputs)) {
          if (before.phase !== 'firing' || state.phase !== 'resolved') continue;
          expect(value).toBeLessThanOrEqual(rule.clearValue);
          const lastBreachMs = state.lastBreachMs ?? -Infinity;
          expect(atMs - lastBreachMs).toBeGreaterThanOrEqual(rule.keepFiringForMs);
        }
      }),
    );
  });

  it('tells at most once per cooldown, and one resolve per told firing', () => {
    fc.assert(
      fc.property(anyRule, forward, (rule, inputs) => {
        let toldMs = -Infinity;
        let open = false;
        for (const { event, atMs } of play(rule, inputs)) {
          if (event === 'resolved') expect(open).toBe(true);
          if (event === 'resolved') open = false;
          if (event === null || event === 'resolved') continue;
          expect(atMs - toldMs).toBeGreaterThanOrEqual(rule.cooldownMs);
          toldMs = atMs;
          open = true;
        }
      }),
    );
  });

  it('is plain JSON: a restart between any two steps changes nothing', () => {
    fc.assert(
      fc.property(anyRule, anyClock, (rule, inputs) => {
        for (const { before, state, value, event, atMs } of play(rule, inputs)) {
          const restored = JSON.parse(JSON.stringify(before)) as RuleState;
          expect(stepRule(rule, restored, value, atMs)).toEqual({ state, event });
        }
      }),
    );
  });

  it('returns the same state when nothing changed', () => {
    fc.assert(
      fc.property(anyRule, forward, fc.constantFrom(GOOD, NaN), (rule, inputs, value) => {
        const settled = play(rule, [...inputs, { value, afterMs: 1e6 }, { value, afterMs: 1 }]);
        const last = settled.at(-1);
        const next = stepRule(rule, last?.state as RuleState, value, (last?.atMs ?? 0) + 1);
        expect(next.state).toBe(last?.state);
        expect(next.event).toBeNull();
      }),
    );
  });

  it('does not change the state it was given', () => {
    fc.assert(
      fc.property(anyRule, anyClock, (rule, inputs) => {
        let state = Object.freeze(initialRuleState(0));
        let atMs = 0;
        for (const { value, afterMs } of inputs) {
          atMs += afterMs;
          const next = stepRule(rule, state, value, atMs).state;
          Object.freeze(next.breachTimes);
          state = Object.freeze(next);
        }
      }),
    );
  });
});
