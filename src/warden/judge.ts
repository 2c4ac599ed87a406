/**
 * Judgement with a memory: how each target's pressure last stood, the rule board, and the trends.
 * The judging itself is in detect/; here it meets the collector's figures and the history.
 */
import type { Collector } from '../collect/collector.ts';
import { type Assessment, assess } from '../detect/assessment.ts';
import { type BudgetVerdict, judgeBudget } from '../detect/budget.ts';
import type { PressureLevel } from '../detect/pressure.ts';
import type { RuleEvent } from '../detect/rule.ts';
import { createRuleBoard, type RuleBoard, type RuleInstance } from '../detect/rule-board.ts';
import { type Trend, trend } from '../detect/trend.ts';
import type { History, PointWindow } from '../history/history.ts';
import type { BudgetPolicy, Policy, TargetPolicy } from '../policy/policy.ts';

/** Targets assessed in one tick; beyond that each is assessed in its turn. */
const ASSESSED_PER_TICK = 50;
const TREND_WINDOW_MS = 3_600_000;
const TREND_MAX_AGE_MS = 60_000;
const TREND_RETRY_MS = 10_000;
const TREND_POINTS = 120;

export interface Judge {
  readonly board: RuleBoard;
  /**
   * Takes a policy and the targets there are now, registered services too; returns firing rules
   * that no longer apply.
   */
  configure(policy: Policy, targets: readonly TargetPolicy[], nowMs: number): RuleInstance[];
  /** Assesses targets and writes their derived columns into the row. Before history.append. */
  assess(row: Float64Array): void;
  /** Steps the rules that are due. After history.append. */
  evaluate(
    row: Float64Array,
    at: { nowMs: number; tick: number },
    onEvent: (instance: RuleInstance, event: RuleEvent) => void,
  ): void;
  /** As of the last sample, worked out when asked for; undefined for a name that is no target. */
  assessment(name: string): Assessment | undefined;
  /** the budget a target is judged by, or null */
  budget(name: string): BudgetPolicy | null;
  /** the whole of all targets against the global budget; null when there is none */
  globalBudget(row: Float64Array): BudgetVerdict | null;
  /** Trend of RSS over the last hour, at most a minute old. Theil–Sen over 120 points: under 1 ms. */
  trend(name: string, nowMs: number): Trend;
  /** the trend as last worked out, however old; never works one out */
  lastTrend(name: string): Trend | undefined;
  /** Works out the trend of one target, in turn, when its last is old. */
  refresh(nowMs: number): void;
  /** Drops what was worked out; returns how many. */
  forgetTrends(): number;
  readonly trendWindowMs: number;
}

interface Judged {
  readonly name: string;
  readonly budget: BudgetPolicy | null;
  readonly rss: number | undefined;
  readonly swap: number | undefined;
  readonly pressureColumn: number;
  readonly budgetColumn: number;
  /** as last assessed in turn; numbers, because a thousand assessments are a lot to keep */
  pressure: PressureLevel;
  pressurePercent: number;
  budgetPercent: number;
  /** what someone asked for, and the tick it was worked out in */
  asked: Assessment | null;
  askedTick: number;
}

const basisPoints = (percent: number): number => Math.round(percent * 100);

export function createJudge(options: { collector: Collector; history: History }): Judge {
  const { collector, history } = options;
  const board = createRuleBoard();
  const trends = new Map<string, { atMs: number; generation: number; trend: Trend }>();
  let judged: Judged[] = [];
  let byName = new Map<string, Judged>();
  let policy: Policy;
  let lastRow: Float64Array = new Float64Array(0);
  let ticks = 0;
  let turn = 0;
  let trendTurn = 0;

  const value = (row: Float64Array, column: number | undefined): number =>
    column === undefined ? Number.NaN : (row[column] ?? Number.NaN);

  const judgement = (target: Judged, row: Float64Array): Assessment => {
    const swapBytes = value(row, target.swap);
    return assess({
      limits: collector.limitInputs(target.name),
      footprintBytes: value(row, target.rss) + (Number.isNaN(swapBytes) ? 0 : swapBytes),
      budget: target.budget,
      pressure: policy.pressure,
      previous: target.pressure,
    });
  };

  const prepare = ({ name, budget }: Pick<TargetPolicy, 'name' | 'budget'>): Judged => {
    const series = collector.series(name);
    const before = byName.get(name);
    return {
      name,
      budget: budget ?? policy.serviceBudgets.get(name) ?? null,
      rss: series.get('rss_bytes'),
      swap: series.get('swap_bytes'),
      pressureColumn: history.column(`${name}/pressure_basis_points`),
      budgetColumn: history.column(`${name}/budget_basis_points`),
      pressure: before?.pressure ?? 'unknown',
      pressurePercent: before?.pressurePercent ?? Number.NaN,
      budgetPercent: before?.budgetPercent ?? Number.NaN,
      asked: null,
      askedTick: -1,
    };
  };

  const seriesOf = (target: Judged): Pick<ReadonlyMap<string, number>, 'get'> => {
    const collected = collector.series(target.name);
    return {
      get(series) {
        if (series === 'pressure_basis_points') return target.pressureColumn;
        if (series === 'budget_basis_points') return target.budgetColumn;
        return collected.get(series);
      },
    };
  };

  /** Since when the figures are of the present process: an older one may have taken over the name. */
  const ownSinceMs = (name: string): number => {
    const state = collector.state(name);
    const foundMs = state && state.generation > 1 ? (state.sinceMs ?? 0) : 0;
    return Math.max(state?.startedMs ?? 0, foundMs);
  };

  /** The last hour, or as much of it as this very process has lived and history knows. */
  const trendWindow = (name: string, nowMs: number): PointWindow => {
    const knownMs = Math.max(ownSinceMs(name), history.firstMs || 0);
    const fromMs = Math.min(Math.max(nowMs - TREND_WINDOW_MS, knownMs), nowMs - 1);
    return { fromMs, toMs: nowMs, points: TREND_POINTS };
  };

  const trendOf = (name: string, nowMs: number): Trend => {
    const known = trends.get(name);
    const isUnknown = known?.trend.direction === 'unknown';
    const maxAgeMs = isUnknown ? TREND_RETRY_MS : TREND_MAX_AGE_MS;
    const generation = collector.state(name)?.generation ?? 0;
    const isFresh = known && nowMs - known.atMs < maxAgeMs && nowMs >= known.atMs;
    if (isFresh && known.generation === generation) return known.trend;
    const column = collector.series(name).get(name === 'system' ? 'used_bytes' : 'rss_bytes');
    const ids = column === undefined ? [] : [column];
    const { t, mean } = history.buckets(ids, trendWindow(name, nowMs));
    const fresh = trend(t, mean[0] ?? new Float64Array(t.length).fill(Number.NaN));
    trends.set(name, { atMs: nowMs, generation, trend: fresh });
    return fresh;
  };

  return {
    board,
    trendWindowMs: TREND_WINDOW_MS,

    configure(nextPolicy, targets, nowMs) {
      policy = nextPolicy;
      judged = [...targets, { name: 'system', budget: null }].map(prepare);
      byName = new Map(judged.map((target) => [target.name, target]));
      const boardTargets = judged.map((target) => ({
        name: target.name,
        series: seriesOf(target),
        sinceMs: () => ownSinceMs(target.name),
      }));
      const { system } = collector.read('system', nowMs);
      const heap = collector.limitInputs('self').find(({ kind }) => kind === 'v8_heap');
      return board.sync({
        rules: policy.rules,
        targets: boardTargets.slice(0, -1),
        system: boardTargets.at(-1) as (typeof boardTargets)[number],
        systemTotalBytes: system.totalBytes,
        heapLimitBytes: heap?.limitBytes ?? Number.NaN,
        nowMs,
      });
    },

    assess(row) {
      lastRow = row;
      ticks++;
      const due = Math.min(judged.length, ASSESSED_PER_TICK);
      for (let i = 0; i < due; i++) {
        turn = (turn + 1) % judged.length;
        const target = judged[turn] as Judged;
        const { pressure, pressurePercent, budget } = judgement(target, row);
        target.pressure = pressure;
        target.pressurePercent = pressurePercent;
        target.budgetPercent = budget?.percent ?? Number.NaN;
      }
      for (const target of judged) {
        row[target.pressureColumn] = basisPoints(target.pressurePercent);
        row[target.budgetColumn] = basisPoints(target.budgetPercent);
      }
    },

    evaluate(row, at, onEvent) {
      board.evaluate(
        { row, firstMs: history.firstMs, medianAround: history.medianAround, at: history.at },
        at,
        onEvent,
      );
    },

    assessment(name) {
      const target = byName.get(name);
      if (target === undefined) return undefined;
      if (target.asked === null || target.askedTick !== ticks) {
        target.asked = judgement(target, lastRow);
        target.askedTick = ticks;
      }
      return target.asked;
    },
    budget: (name) => byName.get(name)?.budget ?? null,
    globalBudget(row) {
      if (policy.globalBudget === null) return null;
      const total = judged.reduce((sum, target) => sum + (value(row, target.rss) || 0), 0);
      return judgeBudget(policy.globalBudget, total);
    },

    trend: trendOf,
    lastTrend: (name) => trends.get(name)?.trend,
    forgetTrends() {
      const { size } = trends;
      trends.clear();
      return size;
    },
    refresh(nowMs) {
      trendTurn = (trendTurn + 1) % judged.length;
      const target = judged[trendTurn];
      if (target) trendOf(target.name, nowMs);
    },
  };
}
