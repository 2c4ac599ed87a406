import { describe, expect, it } from 'vitest';
import { createCommandPattern } from '../../../src/policy/command-pattern.ts';
import { parsePolicy } from '../../../src/policy/load.ts';

describe('rules', () => {
  const ruleOf = (keys: string) =>
    parsePolicy(`thresholds: [{ name: r, metric_key: m, ${keys} }]`).rules[0];

  it('carry every key', () => {
    const keys =
      'comparison: less_than, threshold_value: 5, clear_value: 7.5, for: 1m, keep_firing_for: 2m, times: 3, within: 10s, alert_cooldown_minutes: 0.5, severity: emergency, actions: [], target: self';
    expect(ruleOf(keys)).toEqual({
      name: 'r',
      metricKey: 'm',
      comparison: 'less_than',
      threshold: 5,
      clearValue: 7.5,
      windowMs: 0,
      forMs: 60_000,
      keepFiringForMs: 120_000,
      cooldownMs: 30_000,
      severity: 'emergency',
      actions: [],
      target: 'self',
      times: 3,
      withinMs: 10_000,
    });
  });

  it('take a cooldown as a duration too', () => {
    expect(ruleOf('threshold_value: 1, alert_cooldown_minutes: 90s')?.cooldownMs).toBe(90_000);
  });

  it('look back ten minutes unless they say otherwise', () => {
    expect(ruleOf('comparison: rate_per_hour, threshold_value: 1')?.windowMs).toBe(600_000);
    expect(ruleOf('comparison: rate_per_hour, threshold_value: 1, window: 1h')?.windowMs).toBe(
      3_600_000,
    );
  });

  it('have no threshold when they are about absence', () => {
    expect(ruleOf('comparison: absent')).toMatchObject({
      threshold: Number.NaN,
      clearValue: Number.NaN,
    });
  });

  it('are none for an empty list', () => {
    expect(parsePolicy('thresholds: []').rules).toEqual([]);
  });
});

describe('targets', () => {
  it.each([
    ['{ self: true }', { self: true }],
    ['{ pid: 7 }', { pid: 7 }],
    ['{ pid_file: /run/a.pid }', { pidFile: '/run/a.pid' }],
    ['{ command: "^node" }', { command: createCommandPattern('^node') }],
    ['{ port: 3000 }', { port: 3000 }],
    ['{ cgroup: /app }', { cgroup: '/app' }],
    ['{ unit: app.service }', { unit: 'app.service' }],
  ])('match by %s', (text, match) => {
    expect(parsePolicy(`targets: [{ name: a, match: ${text} }]`).targets[0]?.match).toEqual(match);
  });

  it('have cleaners of five kinds', () => {
    const { targets } = parsePolicy(`
targets:
  - name: a
    match: { pid: 1 }
    cleaners:
      - { name: http, http: { url: "https://127.0.0.1/x", method: DELETE }, timeout: 2s }
      - { name: signal, signal: SIGHUP, level: gentle }
      - { name: gc, gc: true }
      - { name: command, command: [sync, --data] }
      - { name: reclaim, reclaim: 64MiB }
`);
    const none = { http: null, signal: null, gc: false, command: null, reclaimBytes: null };
    const common = { ...none, level: 'aggressive', timeoutMs: 5_000 };
    expect(targets[0]?.cleaners).toEqual([
      {
        ...common,
        name: 'http',
        timeoutMs: 2_000,
        http: { url: 'https://127.0.0.1/x', method: 'DELETE' },
      },
      { ...common, name: 'signal', signal: 'SIGHUP', level: 'gentle' },
      { ...common, name: 'gc', gc: true },
      { ...common, name: 'command', command: ['sync', '--data'] },
      { ...common, name: 'reclaim', reclaimBytes: 64 * 2 ** 20 },
    ]);
  });
});
