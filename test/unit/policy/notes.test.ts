import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/load.ts';

describe('notAvailableYet', () => {
  it.each([
    ['leak_detection: { enabled: false }', []],
    ['leak_detection: {}', ['leak_detection: not available yet']],
    ['server: {}', []],
    ['orphans: { scan: 1m }', ['orphans: not available yet']],
    ['orphans: { action: reap }', ['orphans: not available yet']],
    ['targets: [{ name: a, match: { pid: 1 }, attach: false, roles: [] }]', []],
    ['targets: [{ name: a, match: { self: true }, cleaners: [{ name: g, gc: true }] }]', []],
    ['alerts: { channels: [{ name: log, type: log }] }', []],
  ])('%s', (text, notes) => {
    expect(parsePolicy(text).notAvailableYet).toEqual(notes);
  });
});

describe('warnings', () => {
  it('name the recipients nobody is', () => {
    const { warnings, alerts } = parsePolicy('alerts: { recipients: { critical: [log, pager] } }');
    expect(warnings).toEqual([
      'alerts.recipients.critical: no channel is named "pager"; nothing is sent there',
    ]);
    expect(alerts.recipients).toEqual({
      warning: ['log'],
      critical: ['log', 'pager'],
      emergency: ['log'],
    });
  });

  it('name the rules of a target that is not in the file, as it may register later', () => {
    const rule = (target: string) =>
      `thresholds: [{ name: r, metric_key: custom.m, threshold_value: 1, target: ${target} }]`;
    expect(parsePolicy(rule('api')).warnings).toEqual([
      'thresholds[0].target: no target is named "api" in this file',
    ]);
    expect(
      parsePolicy(`${rule('api')}\ntargets: [{ name: api, match: { pid: 1 } }]`).warnings,
    ).toEqual([]);
    expect(parsePolicy(rule('self')).warnings).toEqual([]);
  });

  it('name the budgets of services that are not in the file, for the same reason', () => {
    const budgets = 'memory_budgets: { services: { api: 100MB, self: 100MB, mail: 50MB } }';
    expect(parsePolicy(budgets).warnings).toEqual([
      'memory_budgets.services.api: no target is named "api" in this file',
      'memory_budgets.services.mail: no target is named "mail" in this file',
    ]);
    const targets =
      'targets: [{ name: api, match: { pid: 1 } }, { name: mail, match: { pid: 2 } }]';
    expect(parsePolicy(`${budgets}\n${targets}`).warnings).toEqual([]);
  });

  it.each([
    ['process_memory_mb', []],
    ['custom.chat_sessions', []],
    ['chat_sessions', ['"chat_sessions" is no built-in metric and is taken for a gauge']],
    ['proces_memory_mb', ['(did you mean "process_memory_mb"?)']],
  ])('name a metric_key that nothing is known of: %s', (key, notes) => {
    const { warnings } = parsePolicy(
      `thresholds: [{ name: r, metric_key: ${key}, threshold_value: 1 }]`,
    );
    expect(warnings).toEqual(notes.map((note) => expect.stringContaining(note)));
  });

  it('name a default rule that looks back further than the history', () => {
    expect(parsePolicy('history: { retention: 5m }').warnings).toEqual([
      'rule "Memory Growth Rate" stays unknown: it looks back further than history.retention',
    ]);
  });
});

describe('recipients', () => {
  it('are every channel when they are not named', () => {
    const text = 'alerts: { channels: [{ name: a, type: log }, { name: b, type: log }] }';
    expect(parsePolicy(text).alerts.recipients.warning).toEqual(['a', 'b']);
  });
});
