import { describe, expect, it } from 'vitest';
import {
  initialRuleState,
  type RuleEvent,
  type RulePhase,
  type RuleState,
  rebaseRule,
  retireRule,
  stepRule,
  wasTold,
} from '../../../src/detect/rule.ts';
import type { RulePolicy } from '../../../src/policy/policy.ts';
import { aRule } from './a-rule.ts';

type Step = [atSeconds: number, value: number, phase: RulePhase, event: RuleEvent | null];

/** Runs the steps and expects each one's phase and event; returns the last state. */
function run(rule: RulePolicy, steps: Step[], from = initialRuleState(0)): RuleState {
  let state = from;
  for (const [atSeconds, value, phase, event] of steps) {
    const step = stepRule(rule, state, value, atSeconds * 1000);
    expect({ atSeconds, phase: step.state.phase, event: step.event }).toEqual({
      atSeconds,
      phase,
      event,
    });
    state = step.state;
  }
  return state;
}

describe('a rule without a delay', () => {
  it('fires at the first breach, resolves at the first good value, and stays resolved', () => {
    run(aRule(), [
      [1, 100, 'inactive', null],
      [2, 101, 'firing', 'fired'],
      [3, 102, 'firing', null],
      [4, 100, 'resolved', 'resolved'],
      [5, 50, 'resolved', null],
      [9999, 101, 'firing', 'fired'],
    ]);
  });

  it('breaches below for less_than', () => {
    run(aRule({ comparison: 'less_than' }), [
      [1, 100, 'inactive', null],
      [2, 99, 'firing', 'fired'],
      [3, 100, 'resolved', 'resolved'],
    ]);
  });

  it.each(['percent_change', 'rate_per_hour'] as const)(
    '%s asks for a fall when negative',
    (comparison) => {
      run(aRule({ comparison, threshold: -20 }), [
        [1, 0, 'inactive', null],
        [2, 30, 'inactive', null],
        [3, -21, 'firing', 'fired'],
        [4, -20, 'resolved', 'resolved'],
      ]);
    },
  );

  it('keeps the value, and the worst one since the breach began', () => {
    const firing = run(aRule(), [
      [1, 120, 'firing', 'fired'],
      [2, 180, 'firing', null],
      [3, 130, 'firing', null],
    ]);
    expect(firing).toMatchObject({ value: 130, peak: 180, firingSinceMs: 1000 });
    const resolved = run(aRule(), [[4, 90, 'resolved', 'resolved']], firing);
    expect(resolved).toMatchObject({ value: 90, peak: 180, sinceMs: 4000 });
    const again = run(aRule(), [[5, 110, 'firing', null]], resolved);
    expect(again).toMatchObject({ value: 110, peak: 110 });
  });

  it('takes the lowest value as the worst for less_than', () => {
    const state = run(aRule({ comparison: 'less_than' }), [
      [1, 50, 'firing', 'fired'],
      [2, 20, 'firing', null],
      [3, 40, 'firing', null],
    ]);
    expect(state.peak).toBe(20);
  });
});

describe('for', () => {
  const rule = aRule({ forMs: 10_000 });

  it('must hold at every evaluation', () => {
    run(rule, [
      [1, 101, 'pending', null],
      [10, 101, 'pending', null],
      [11, 101, 'firing', 'fired'],
    ]);
    run(rule, [
      [1, 101, 'pending', null],
      [10, 100, 'inactive', null],
      [11, 101, 'pending', null],
      [20, 101, 'pending', null],
      [21, 101, 'firing', 'fired'],
    ]);
  });

  it('starts over after an unknown value', () => {
    run(rule, [
      [1, 101, 'pending', null],
      [2, NaN, 'unknown', null],
      [11, 101, 'pending', null],
      [21, 101, 'firing', 'fired'],
    ]);
  });

  it('goes from resolved through pending again', () => {
    const state = run(rule, [
      [0, 101, 'pending', null],
      [10, 101, 'firing', 'fired'],
      [11, 1, 'resolved', 'resolved'],
      [12, 101, 'pending', null],
    ]);
    expect(state).toMatchObject({ firingSinceMs: null, pendingSinceMs: 12_000, sinceMs: 12_000 });
    run(rule, [[13, 1, 'inactive', null]], state);
  });
});

describe('clear_value and keep_firing_for', () => {
  it('keeps firing between the threshold and the clear value', () => {
    run(aRule({ clearValue: 80 }), [
      [1, 101, 'firing', 'fired'],
      [2, 81, 'firing', null],
      [3, 80, 'resolved', 'resolved'],
      [4, 99, 'resolved', null],
    ]);
  });

  it('keeps the same state while a value stays in between', () => {
    const rule = aRule({ clearValue: 80 });
    const state = run(rule, [
      [1, 101, 'firing', 'fired'],
      [2, 90, 'firing', null],
    ]);
    expect(stepRule(rule, state, 90, 3000).state).toBe(state);
  });

  it('holds for keep_firing_for after the last breach', () => {
    run(aRule({ keepFiringForMs: 60_000 }), [
      [1, 101, 'firing', 'fired'],
      [10, 101, 'firing', null],
      [11, 1, 'firing', null],
      [69, 1, 'firing', null],
      [70, 1, 'resolved', 'resolved'],
    ]);
  });

  it('does not remind of a value that is back while keep_firing_for holds', () => {
    run(aRule({ keepFiringForMs: 3_600_000 }), [
      [0, 101, 'firing', 'fired'],
      [1800, 1, 'firing', null],
      [1801, 101, 'firing', 'reminded'],
    ]);
  });
});

describe('cooldown', () => {
  it('tells once per cooldown while firing', () => {
    run(aRule(), [
      [0, 101, 'firing', 'fired'],
      [899, 101, 'firing', null],
      [900, 101, 'firing', 'reminded'],
      [901, 101, 'firing', null],
      [1800, 101, 'firing', 'reminded'],
    ]);
  });

  it('does not page for a flap, nor tell the end of what it did not tell', () => {
    run(aRule(), [
      [0, 101, 'firing', 'fired'],
      [1, 1, 'resolved', 'resolved'],
      [2, 101, 'firing', null],
      [3, 1, 'resolved', null],
      [899, 101, 'firing', null],
      [900, 101, 'firing', 'reminded'],
      [901, 1, 'resolved', 'resolved'],
    ]);
  });
});

describe('an unknown value', () => {
  it('is unknown, not fine and not a breach', () => {
    const state = run(aRule(), [
      [1, NaN, 'unknown', null],
      [2, Infinity, 'unknown', null],
      [3, 50, 'inactive', null],
      [4, NaN, 'unknown', null],
      [5, 101, 'firing', 'fired'],
    ]);
    expect(state.phase).toBe('firing');
  });

  it('neither ends nor repeats a firing, for however long', () => {
    const blind = run(aRule({ keepFiringForMs: 1000 }), [
      [0, 101, 'firing', 'fired'],
      [1, NaN, 'firing', null],
      [86_400, NaN, 'firing', null],
    ]);
    expect(blind).toMatchObject({ value: null, peak: 101 });
    run(aRule(), [[86_401, 101, 'firing', 'reminded']], blind);
    run(aRule(), [[86_401, 99, 'resolved', 'resolved']], blind);
  });

  it('is the breach of `absent`, and any value ends it', () => {
    const state = run(aRule({ comparison: 'absent', forMs: 5000 }), [
      [0, 5e9, 'inactive', null],
      [1, NaN, 'pending', null],
      [6, NaN, 'firing', 'fired'],
      [7, 0, 'resolved', 'resolved'],
    ]);
    expect(state.peak).toBeNull();
  });
});

describe('X of Y', () => {
  const rule = aRule({ times: 3, withinMs: 60_000 });

  it('fires at the third breach within the span', () => {
    run(rule, [
      [0, 101, 'inactive', null],
      [10, 1, 'inactive', null],
      [20, 101, 'inactive', null],
      [60, 101, 'firing', 'fired'],
      [61, 1, 'resolved', 'resolved'],
    ]);
  });

  it('forgets breaches that are older than the span', () => {
    run(rule, [
      [0, 101, 'inactive', null],
      [30, 101, 'inactive', null],
      [61, 101, 'inactive', null],
      [90, 101, 'firing', 'fired'],
    ]);
  });

  it('keeps firing while the breaches are that frequent, though single values are good', () => {
    run(rule, [
      [0, 101, 'inactive', null],
      [1, 101, 'inactive', null],
      [2, 101, 'firing', 'fired'],
      [60, 1, 'firing', null],
      [61, 1, 'resolved', 'resolved'],
    ]);
  });

  it('remembers no more breaches than it needs', () => {
    let state = initialRuleState(0);
    for (let second = 0; second < 100; second++) {
      state = stepRule(rule, state, 101, second * 1000).state;
    }
    expect(state.breachTimes).toEqual([97_000, 98_000, 99_000]);
  });
});

describe('retireRule', () => {
  it('resolves a firing rule whose target is gone, and keeps the cooldown', () => {
    const firing = run(aRule(), [[0, 101, 'firing', 'fired']]);
    const retired = retireRule(firing, 5000);
    expect(retired).toMatchObject({ phase: 'resolved', sinceMs: 5000 });
    expect(wasTold(retired)).toBe(true);
    run(aRule(), [[6, 101, 'firing', null]], retired);
  });

  it('knows that a firing within the cooldown was not told', () => {
    const flap = run(aRule(), [
      [0, 101, 'firing', 'fired'],
      [1, 1, 'resolved', 'resolved'],
      [2, 101, 'firing', null],
    ]);
    expect(wasTold(retireRule(flap, 3000))).toBe(false);
  });

  it('makes pending and unknown inactive, and leaves the rest as it is', () => {
    const pending = run(aRule({ forMs: 9000 }), [[0, 101, 'pending', null]]);
    expect(retireRule(pending, 1000)).toMatchObject({ phase: 'inactive', value: null });
    const unknown = run(aRule(), [[0, NaN, 'unknown', null]]);
    expect(retireRule(unknown, 1000).phase).toBe('inactive');
    const inactive = initialRuleState(0);
    expect(retireRule(inactive, 1000)).toBe(inactive);
  });
});

describe('a clock that goes back', () => {
  it('keeps the time that has passed', () => {
    run(aRule({ forMs: 60_000 }), [
      [5000, 101, 'pending', null],
      [5050, 101, 'pending', null],
      [1000, 101, 'pending', null],
      [1009, 101, 'pending', null],
      [1010, 101, 'firing', 'fired'],
      [1910, 101, 'firing', 'reminded'],
    ]);
  });

  it('does not delay the next reminder by as much', () => {
    run(aRule({ clearValue: 80 }), [
      [1000, 101, 'firing', 'fired'],
      [1900, 90, 'firing', 'reminded'],
      [100, 90, 'firing', null],
      [1000, 90, 'firing', 'reminded'],
    ]);
  });

  it('moves every stamp of the state', () => {
    const state = run(aRule({ times: 2, withinMs: 60_000 }), [
      [10, 101, 'inactive', null],
      [20, 101, 'firing', 'fired'],
    ]);
    expect(rebaseRule(state, -5000)).toEqual({
      ...state,
      sinceMs: 15_000,
      firingSinceMs: 15_000,
      lastBreachMs: 15_000,
      lastNotifiedMs: 15_000,
      breachTimes: [5000, 15_000],
    });
  });
});
