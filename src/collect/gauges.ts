/**
 * Figures that an application gives: pushed ones, which are unknown again 60 s after the last push,
 * and registered ones, which are asked at each tick. A registered gauge that throws or answers
 * with something else than a number is unknown, with the reason, and never stops the tick.
 */
import type { Unknown } from './reading.ts';

const PUSH_TTL_MS = 60_000;

/** What a gauge may be called, however it comes. */
export const GAUGE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
export const GAUGE_NAME_RULE = '1–64 of A–Z a–z 0–9 _, the first not a digit';

interface Gauge {
  readonly name: string;
  readonly column: number;
  /** null for a pushed gauge */
  read: (() => number) | null;
  value: number;
  pushedMs: number;
  problem: string | null;
}

export interface Gauges {
  /** false, and nothing happens, when a registered gauge has that name. @throws RangeError when history is full */
  push(target: string, name: string, value: number, timeMs: number): boolean;
  /** Takes the place of a gauge of that name. @throws RangeError when history is full */
  register(target: string, name: string, read: () => number): () => void;
  /** Writes every gauge into the row. */
  sample(row: Float64Array, timeMs: number): void;
  columns(target: string): Iterable<readonly [series: string, column: number]>;
  values(target: string, timeMs: number): { custom: Record<string, number>; unknown: Unknown[] };
  /** Forgets what was pushed for a target that is no more. Registered gauges wait for its return. */
  forget(target: string): void;
}

export function createGauges(column: (key: string) => number): Gauges {
  const byTarget = new Map<string, Map<string, Gauge>>();

  const gaugeOf = (target: string, name: string): Gauge => {
    const gauges = byTarget.get(target) ?? new Map<string, Gauge>();
    const known = gauges.get(name);
    if (known) return known;
    const fresh = {
      name,
      column: column(`${target}/custom.${name}`),
      read: null,
      value: Number.NaN,
      pushedMs: Number.NaN,
      problem: null,
    };
    gauges.set(name, fresh);
    byTarget.set(target, gauges);
    return fresh;
  };

  const of = (target: string): Iterable<Gauge> => byTarget.get(target)?.values() ?? [];

  return {
    push(target, name, value, timeMs) {
      const pushed = gaugeOf(target, name);
      if (pushed.read !== null) return false;
      pushed.value = value;
      pushed.pushedMs = timeMs;
      return true;
    },
    register(target, name, read) {
      const registered = gaugeOf(target, name);
      registered.read = read;
      return () => {
        // a later registration under this name stays
        if (registered.read === read) byTarget.get(target)?.delete(name);
      };
    },
    sample(row, timeMs) {
      for (const gauges of byTarget.values()) {
        for (const gauge of gauges.values()) row[gauge.column] = take(gauge, timeMs);
      }
    },
    *columns(target) {
      for (const { name, column: id } of of(target)) yield [`custom.${name}`, id] as const;
    },
    values(target, timeMs) {
      const gauges = [...of(target)];
      const custom = Object.fromEntries(gauges.map((each) => [each.name, take(each, timeMs)]));
      const unknown = gauges.flatMap(({ name, problem }) =>
        problem === null ? [] : [{ metric: `custom.${name}`, reason: problem }],
      );
      return { custom, unknown };
    },
    forget(target) {
      for (const { name, read } of of(target))
        if (read === null) byTarget.get(target)?.delete(name);
    },
  };
}

/** The value now; NaN leaves its reason in the gauge. */
function take(gauge: Gauge, timeMs: number): number {
  gauge.problem = null;
  if (gauge.read === null) {
    // a clock that was set back must not keep it fresh for as long as it went back
    if (timeMs < gauge.pushedMs) gauge.pushedMs = timeMs;
    if (timeMs - gauge.pushedMs > PUSH_TTL_MS) gauge.problem = 'the last push is over 60 s old';
    else if (Number.isNaN(gauge.value)) gauge.problem = 'pushed as not a number';
    return gauge.problem === null ? gauge.value : Number.NaN;
  }
  try {
    const value: unknown = gauge.read();
    if (typeof value === 'number' && !Number.isNaN(value)) return value;
    gauge.problem = `the gauge answered with ${Number.isNaN(value) ? 'NaN' : typeof value}`;
  } catch (error) {
    gauge.problem = `the gauge threw ${error instanceof Error ? error.message : typeof error}`;
  }
  return Number.NaN;
}
