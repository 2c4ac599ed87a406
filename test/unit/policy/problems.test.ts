import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/load.ts';
import { MAX_PROBLEMS } from '../../../src/policy/problem.ts';
import { problemsIn, toldOf } from './problems.ts';

describe('a policy that is not valid', () => {
  it('is told whole, by file, line and key, in one error', () => {
    const text = `server:
  port: 99999
  hots: example.org
sampling: { interval: 5 }
tresholds: []
targets:
  - match: { pid: 3 }
`;
    expect(problemsIn(text, { source: 'my.yaml' })).toEqual([
      {
        file: 'my.yaml',
        line: 2,
        column: 3,
        key: 'server.port',
        expected: 'a whole number from 0 to 65535',
        got: '99999',
      },
      {
        file: 'my.yaml',
        line: 3,
        column: 3,
        key: 'server.hots',
        expected:
          'one of host, port, token_file, allowed_hosts, protect_metrics (did you mean "host"?)',
        got: 'an unknown key',
      },
      {
        file: 'my.yaml',
        line: 4,
        column: 13,
        key: 'sampling.interval',
        expected: 'a duration from 100ms to 60s, such as 500ms, 30s, 10m, 24h or 30d',
        got: '5',
      },
      {
        file: 'my.yaml',
        line: 5,
        column: 1,
        key: 'tresholds',
        expected: expect.stringContaining('(did you mean "thresholds"?)'),
        got: 'an unknown key',
      },
      {
        file: 'my.yaml',
        line: 7,
        column: 5,
        key: 'targets[0].name',
        expected: '1 to 64 letters, digits, "_", "." or "-"',
        got: 'nothing',
      },
    ]);
  });

  it('has one line of message for each problem', () => {
    expect(() => parsePolicy('server: { port: x, host: 1 }', { source: 'a.yaml' })).toThrow(
      'a.yaml:1: server.host: expected a text of 1 to 4096 characters, got 1\na.yaml:1: server.port: expected a whole number from 0 to 65535, got "x"',
    );
  });

  it.each(['https://cache.example.org/trim', 'http://10.0.0.1/', 'http://localhost.example.org/'])(
    'has a cleaner that calls another machine: %s',
    (url) => {
      const cleaner = `{ name: b, http: { url: "${url}" } }`;
      expect(toldOf(`targets: [{ name: a, match: { pid: 1 }, cleaners: [${cleaner}] }]`)).toEqual([
        expect.stringMatching(
          /^1 targets\[0\]\.cleaners\[0\]\.http\.url: expected a URL on this machine/,
        ),
      ]);
    },
  );

  it('may call this machine by any of its loopback names', () => {
    const urls = ['http://127.0.0.2:3000/', 'http://localhost/', 'https://[::1]:8080/x'];
    const cleaners = urls.map((url, n) => `{ name: c${n}, http: { url: "${url}" } }`);
    expect(toldOf(`targets: [{ name: a, match: { pid: 1 }, cleaners: [${cleaners}] }]`)).toEqual(
      [],
    );
  });

  it('is still judged where it is sound', () => {
    expect(toldOf('server: { port: x }\npressure: { warning: 90 }')).toEqual([
      '1 server.port: expected a whole number from 0 to 65535, got "x"',
      '2 pressure.warning: expected less than pressure.critical (80), got 90',
    ]);
  });

  it('never has its secrets repeated', () => {
    const told = toldOf(`
alerts:
  channels:
    - { name: a, type: slack, url: "ftp://user:hunter2@example.org/hunter2" }
    - { name: b, type: email, smtp: "http://user:hunter2@example.org", from: f, to: [t] }
server: { token: hunter2 }
`);
    expect(told).toHaveLength(3);
    expect(told.join()).not.toContain('hunter2');
    const misplaced = 'alerts: { channels: [{ name: c, type: log, url: "https://a/hunter2" }] }';
    expect(toldOf(misplaced)).toHaveLength(1);
    expect(toldOf(misplaced).join()).not.toContain('hunter2');
    expect(toldOf('server: { token_file: "hunter2').join()).not.toContain('hunter2');
  });

  it(`stops telling at ${MAX_PROBLEMS}`, () => {
    const text = Array.from({ length: 500 }, (_, index) => `key${index}: 1`).join('\n');
    expect(problemsIn(text)).toHaveLength(MAX_PROBLEMS);
  });
});

describe('settings', () => {
  it.each([
    ['sampling: { interval: 99ms }', /sampling.interval: expected a duration from 100ms to 60s/],
    [
      'sampling: { interval: 61s, detail_interval: 2m }',
      /sampling.interval: expected a duration from 100ms to 60s/,
    ],
    [
      'sampling: { interval: 40s }',
      /sampling.interval: expected at most sampling.detail_interval \(30s\), got 40s/,
    ],
    [
      'history: { retention: 1m, flush: 2m }',
      /history.flush: expected at most history.retention \(1m\), got 2m/,
    ],
    ['history: { max_memory: 64 }', /history.max_memory: expected a size/],
    ['server: { port: -1 }', /server.port: expected a whole number from 0 to 65535/],
    ['server: { port: 80.5 }', /server.port: expected a whole number/],
    ['server: { port: .nan }', /server.port: expected a whole number/],
    ['server: { port: 0x1ffff }', /got 131071/],
    ['server: { protect_metrics: yes }', /protect_metrics: expected true or false, got "yes"/],
    ['server:', /server: expected a mapping, got null/],
    ['server: []', /server: expected a mapping, got a list/],
    ['targets: {}', /targets: expected a list, got a mapping/],
    ['data_dir: ""', /data_dir: expected a text of 1 to 4096 characters, got ""/],
    [
      'pressure: { critical: 95 }',
      /pressure.critical: expected less than pressure.emergency \(95\)/,
    ],
    ['pressure: { emergency: 101 }', /pressure.emergency: expected a number above 0, at most 100/],
    [
      'memory_budgets: { global: { warning_threshold_percent: 96 } }',
      /expected less than critical_threshold_percent \(95\), got 96/,
    ],
    [
      'memory_budgets: { global: { max_memory_mb: -5 } }',
      /max_memory_mb: expected MiB as a number of at least 1/,
    ],
    [
      'memory_budgets: { services: { "a b": 1MiB } }',
      /services.a b: expected a name of 1 to 64 letters/,
    ],
    ['memory_budgets: { services: { a: 100 } }', /services.a: expected a size/],
    ['memory_budgets: { services: { system: 1GB } }', /expected another name: system is the host/],
    [
      'leak_detection: { cleanup_at: severe }',
      /cleanup_at: expected one of none, low, medium, high, critical, got "severe"/,
    ],
    ['auto_cleanup: { interval: 30d }', /auto_cleanup.interval: expected a duration from 1s to 7d/],
    ['orphans: { action: kill }', /orphans.action: expected one of report, approve, reap/],
    ['oversight: { require_approval: [reboot] }', /require_approval: expected a list of cleanup/],
    ['ledger: { retention_entries: 0 }', /retention_entries: expected a whole number from 1/],
  ])('%s', (text, told) => {
    expect(toldOf(text)).toEqual([expect.stringMatching(told)]);
  });
});

describe('targets', () => {
  const target = (keys: string) => `targets: [{ name: a, match: { pid: 1 }, ${keys} }]`;

  it.each([
    [
      'targets: [{ name: a, match: {} }]',
      /targets\[0\].match: expected exactly one of self, pid, .*got none/,
    ],
    [
      'targets: [{ name: a, match: { pid: 1, port: 2 } }]',
      /match: expected exactly one of .*got pid and port/,
    ],
    ['targets: [{ name: a, match: { self: false } }]', /match.self: expected true, got false/],
    ['targets: [{ name: a, match: { pid: 0 } }]', /match.pid: expected a whole number from 1/],
    [
      'targets: [{ name: a, match: { command: "(" } }]',
      /match.command: expected a regular expression/,
    ],
    [
      `targets: [{ name: a, match: { command: "${'x'.repeat(501)}" } }]`,
      /expected a regular expression of 1 to 500 characters/,
    ],
    [
      'targets: [{ name: a, match: { command: "" } }]',
      /match.command: expected a regular expression of 1 to 500 characters .*, got ""/,
    ],
    [
      'targets: [{ name: a, match: { command: "node(?!js)" } }]',
      /match.command: expected a regular expression without look-around \(RE2 syntax: groups, .*got "node/,
    ],
    [
      'targets: [{ name: a, match: { pid_file: "" } }]',
      /match.pid_file: expected a text of 1 to 4096 characters, got ""/,
    ],
    [
      'targets: [{ name: a, match: { cgroup: "../../etc" } }]',
      /match.cgroup: expected a cgroup path .* without "\.\." in it, got/,
    ],
    ['targets: [{ name: a, match: { cgroup: /a/.. } }]', /match.cgroup: expected a cgroup path/],
    ['targets: [{ name: a, match: { cgroup: "" } }]', /match.cgroup: expected a cgroup path of 1/],
    [
      'targets: [{ name: a, match: { unit: a/../b } }]',
      /match.unit: expected the name of a systemd unit .* without "\/", got "a\/\.\.\/b"/,
    ],
    ['targets: [{ name: a, match: { unit: "" } }]', /match.unit: expected the name of a systemd/],
    [
      'targets: [{ name: system, match: { pid: 1 } }]',
      /name: expected another name: system is the host/,
    ],
    [
      'targets: [{ name: self, match: { pid: 1 } }]',
      /name: expected another name: self is memwarden/,
    ],
    ['targets: [{ name: "a/b", match: { pid: 1 } }]', /name: expected 1 to 64 letters/],
    [
      'targets: [{ name: a, match: { pid: 1 } }, { name: a, match: { pid: 2 } }]',
      /targets\[1\].name: expected a name of its own, got "a" again/,
    ],
    [
      'targets: [{ name: a, match: { self: true } }, { name: b, match: { self: true } }]',
      /targets\[1\].match.self: expected one target that is self/,
    ],
    [target('roles: [{ role: r, match: "[" }]'), /roles\[0\].match: expected a regular expression/],
    [
      target('roles: [{ role: r, match: a }, { role: r, match: b }]'),
      /roles\[1\].role: expected a name of its own/,
    ],
    [
      target('cleaners: [{ name: c }]'),
      /cleaners\[0\]: expected exactly one of http, signal, gc, command, reclaim, got none/,
    ],
    [target('cleaners: [{ name: c, gc: true, signal: SIGUSR2 }]'), /got signal and gc/],
    [
      target('cleaners: [{ name: c, gc: true }, { name: c, gc: true }]'),
      /cleaners\[1\].name: expected a name of its own/,
    ],
    [
      target('cleaners: [{ name: c, signal: SIGUSR3 }]'),
      /signal: expected one of .*did you mean "SIGUSR1"\?\), got "SIGUSR3"/,
    ],
    [
      target('cleaners: [{ name: c, signal: SIGKILL }]'),
      /signal: expected a signal a process can handle/,
    ],
    [target('cleaners: [{ name: c, command: [] }]'), /command: expected a list of texts/],
    [target('cleaners: [{ name: c, command: rm -rf / }]'), /command: expected a list of texts/],
    [
      target('cleaners: [{ name: c, http: { url: "file:///etc/passwd" } }]'),
      /http.url: expected a URL that starts with http:\/\/ or https:\/\//,
    ],
    [
      target('cleaners: [{ name: c, http: { url: "http://[::1]:99999/" } }]'),
      /http.url: expected a URL with a port of at most 65535, got "http:/,
    ],
    [
      target('cleaners: [{ name: c, http: { url: "http://a b/" } }]'),
      /http.url: expected a valid URL, got/,
    ],
    [
      target('cleaners: [{ name: c, http: { url: "http://127.0.0.1:3000@evil.example/" } }]'),
      /http.url: expected a URL without user and password, got "http:\/\/…"/,
    ],
    [
      target('cleaners: [{ name: c, http: { url: "http://:hunter2@127.0.0.1/" } }]'),
      /http.url: expected a URL without user and password/,
    ],
    [
      target(`cleaners: [{ name: c, http: { url: "http://a/${'x'.repeat(2048)}" } }]`),
      /http.url: expected a URL of at most 2048 characters/,
    ],
    [
      target('cleaners: [{ name: c, http: { url: "http://a", timeout: 11m } }]'),
      /timeout: expected a duration from 1ms to 10m/,
    ],
    [target('restart: { command: [a], when: leak>high }'), /restart.when: expected leak>=low/],
    [target('restart: { command: [a], when: budget>=low }'), /restart.when: expected leak>=low/],
    [target('budget: 400'), /targets\[0\].budget: expected a size/],
  ])('%s', (text, told) => {
    expect(toldOf(text)).toEqual([expect.stringMatching(told)]);
  });
});

describe('thresholds', () => {
  const rule = (keys: string) => `thresholds: [{ name: r, metric_key: m, ${keys} }]`;

  it.each([
    [rule(''), /threshold_value: expected a number, got nothing/],
    [
      'thresholds: [{ name: "", metric_key: m, threshold_value: 1 }]',
      /thresholds\[0\].name: expected a text of 1 to 100 characters, got ""/,
    ],
    [rule('threshold_value: .inf'), /threshold_value: expected a number, got Infinity/],
    [rule('threshold_value: 1, comparison: above'), /comparison: expected one of greater_than/],
    [
      rule('threshold_value: 1, clear_value: 2'),
      /clear_value: expected at most threshold_value \(1\), got 2/,
    ],
    [
      rule('comparison: less_than, threshold_value: 1, clear_value: 0'),
      /clear_value: expected at least threshold_value/,
    ],
    [
      rule('comparison: absent, threshold_value: 1'),
      /threshold_value: expected no such key: absent compares with nothing/,
    ],
    [
      rule('threshold_value: 1, window: 10m'),
      /window: expected no such key: only percent_change and rate_per_hour look back/,
    ],
    [
      rule('comparison: percent_change, threshold_value: 1, window: 25h'),
      /window: expected at most history.retention \(24h\)/,
    ],
    [
      rule('comparison: percent_change, threshold_value: 1, window: 59s'),
      /window: expected a duration from 1m/,
    ],
    [rule('threshold_value: 1, times: 3'), /times: expected within beside it, got times alone/],
    [rule('threshold_value: 1, within: 3m'), /within: expected times beside it/],
    [rule('threshold_value: 1, times: 10, within: 5s'), /within: expected room for 10 samples/],
    [
      rule('threshold_value: 1, actions: [page]'),
      /actions: expected a list of notify, cleanup:gentle/,
    ],
    [
      rule('threshold_value: 1, severity: fatal'),
      /severity: expected one of warning, critical, emergency/,
    ],
    [
      'thresholds: [{ name: r, metric_key: "a b", threshold_value: 1 }]',
      /metric_key: expected a metric name/,
    ],
    [
      'thresholds: [{ name: r, metric_key: m, threshold_value: 1 }, { name: r, metric_key: m, threshold_value: 1 }]',
      /thresholds\[1\].name: expected a name of its own/,
    ],
  ])('%s', (text, told) => {
    expect(toldOf(text)).toEqual([expect.stringMatching(told)]);
  });
});

describe('alerts', () => {
  const channel = (keys: string) => `alerts: { channels: [{ name: c, ${keys} }] }`;

  it.each([
    [channel('type: pager'), /channels\[0\].type: expected one of log, webhook/],
    [
      channel('type: webhook'),
      /channels\[0\]: expected url or url_file for a channel of type webhook, got nothing/,
    ],
    [
      channel('type: slack, url: "https://a", url_file: b'),
      /expected url or url_file for a channel of type slack, got both/,
    ],
    [
      channel('type: webhook, url: "https://user:hunter2@alerts.example/"'),
      /channels\[0\].url: expected a URL without user and password, got "https:\/\/…"/,
    ],
    [channel('type: email, smtp: "smtp://", from: b, to: [c]'), /smtp: expected a URL with a host/],
    [channel('type: alertmanager, url: "a:9093"'), /url: expected a URL that starts with http/],
    [
      channel('type: log, url: "http://a"'),
      /channels\[0\].url: expected only name, type for a channel of type log, got url/,
    ],
    [
      channel('type: email, smtp: "smtp://a", from: b'),
      /expected to for a channel of type email, got nothing/,
    ],
    [
      'alerts: { channels: [{ name: c, type: log }, { name: c, type: log }] }',
      /channels\[1\].name: expected a name of its own/,
    ],
    [
      'alerts: { recipients: { warnings: [log] } }',
      /recipients.warnings: .*did you mean "warning"/,
    ],
    [
      'alerts: { recipients: { warning: log } }',
      /recipients.warning: expected a list of channel names, or null/,
    ],
  ])('%s', (text, told) => {
    expect(toldOf(text)).toEqual([expect.stringMatching(told)]);
  });
});
