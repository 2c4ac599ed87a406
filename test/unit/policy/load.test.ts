import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommandPattern } from '../../../src/policy/command-pattern.ts';
import { type LoadOptions, loadPolicy, parsePolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { problemsOf } from '../../../src/policy/problem.ts';
import { toldOf } from './problems.ts';

const FULL = readFileSync(join(import.meta.dirname, '../../fixtures/policy/full.yaml'), 'utf8');

describe('a policy without a word', () => {
  const policy = parsePolicy('');

  it('watches the host and itself, with the documented defaults', () => {
    expect(policy).toMatchObject({
      source: null,
      server: {
        host: '127.0.0.1',
        port: 8181,
        token: null,
        tokenFile: null,
        allowedHosts: [],
        protectMetrics: false,
      },
      sampling: {
        intervalMs: 1_000,
        detailIntervalMs: 30_000,
        selfBudget: { cpuPercent: 2, rssBytes: 150 * 2 ** 20 },
      },
      history: { retentionMs: 86_400_000, flushMs: 10_000, maxMemoryBytes: 64 * 2 ** 20 },
      dataDir: './data',
      globalBudget: null,
      budgetPercents: { warningPercent: 80, criticalPercent: 95 },
      targets: [],
      pressure: { warningPercent: 60, criticalPercent: 80, emergencyPercent: 95 },
      leak: {
        enabled: true,
        intervalMs: 30_000,
        minAgeMs: 1_200_000,
        cleanupAt: 'high',
        captureAt: 'medium',
      },
      autoCleanup: { intervalMs: 600_000, level: 'gentle', cooldownMs: 60_000 },
      orphans: { scanMs: 30_000, action: 'report', killTimeoutMs: 5_000 },
      alerts: {
        channels: [{ name: 'log', type: 'log', options: {} }],
        recipients: { warning: ['log'], critical: ['log'], emergency: ['log'] },
      },
      oversight: {
        requireApproval: ['reap', 'restart', 'snapshot'],
        memoryPercent: 80,
        delegationDepth: 4,
        expiresMs: 900_000,
        onExpiry: 'deny',
      },
      ledger: { retentionEntries: 10_000, retentionMs: 2_592_000_000 },
      notAvailableYet: [],
      warnings: [],
    });
    expect(policy.serviceBudgets.size).toBe(0);
  });

  it('has the three default rules', () => {
    const brief = policy.rules.map((rule) => [
      rule.name,
      rule.metricKey,
      rule.comparison,
      rule.threshold,
      rule.clearValue,
      rule.windowMs,
      rule.cooldownMs,
      rule.severity,
    ]);
    expect(brief).toEqual([
      [
        'High Process Memory',
        'process_memory_mb',
        'greater_than',
        1024,
        1024,
        0,
        900_000,
        'critical',
      ],
      [
        'System Memory Usage',
        'system_memory_percent',
        'greater_than',
        85,
        85,
        0,
        900_000,
        'critical',
      ],
      [
        'Memory Growth Rate',
        'process_memory_mb',
        'percent_change',
        20,
        20,
        600_000,
        900_000,
        'warning',
      ],
    ]);
    expect(policy.rules.map(({ actions }) => actions)).toEqual([
      ['notify', 'cleanup:aggressive'],
      ['notify', 'cleanup:aggressive'],
      ['notify'],
    ]);
  });

  it('is the same for a file of comments, and for every later call', () => {
    expect(parsePolicy('# nothing\n---\n')).toEqual(policy);
    expect(parsePolicy('{}')).toEqual(policy);
  });

  it('is frozen to its leaves', () => {
    const unfrozen: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || value instanceof RegExp) return;
      if (!Object.isFrozen(value)) unfrozen.push(path);
      const entries = value instanceof Map ? [...value] : Object.entries(value);
      for (const [key, child] of entries) visit(child, `${path}.${key}`);
    };
    visit(policy, 'empty');
    visit(parsePolicy(FULL), 'full');
    expect(unfrozen).toEqual([]);
  });
});

describe('the documented example', () => {
  const policy = parsePolicy(FULL, { source: 'full.yaml' });

  it('loads with its budgets, targets and channels', () => {
    expect(policy.source).toBe('full.yaml');
    expect(policy.globalBudget?.maxBytes).toBe(512 * 2 ** 20);
    expect(policy.serviceBudgets.get('messaging')).toEqual({
      maxBytes: 100e6,
      warningPercent: 80,
      criticalPercent: 95,
    });
    const [api] = policy.targets;
    expect(api).toMatchObject({
      name: 'api',
      includeChildren: true,
      attach: true,
      budget: { maxBytes: 400 * 2 ** 20 },
      restart: {
        command: ['systemctl', 'restart', 'api'],
        when: 'leak>=high',
        maxRestarts: 3,
        withinMs: 3_600_000,
      },
    });
    expect(api?.match).toEqual({ command: createCommandPattern('node .*server\\.js') });
    expect(api?.roles).toEqual([
      {
        role: 'chroma',
        match: createCommandPattern('uvx|chroma-mcp'),
        maxCount: 10,
        memoryBytes: 200 * 2 ** 20,
      },
    ]);
    expect(
      api?.cleaners.map(({ name, level, timeoutMs, http, signal, gc }) => ({
        name,
        level,
        timeoutMs,
        http,
        signal,
        gc,
      })),
    ).toEqual([
      {
        name: 'caches',
        level: 'aggressive',
        timeoutMs: 5_000,
        http: { url: 'http://127.0.0.1:3000/internal/trim', method: 'POST' },
        signal: null,
        gc: false,
      },
      {
        name: 'trim',
        level: 'emergency',
        timeoutMs: 5_000,
        http: null,
        signal: 'SIGUSR2',
        gc: false,
      },
      { name: 'gc', level: 'aggressive', timeoutMs: 5_000, http: null, signal: null, gc: true },
    ]);
    expect(policy.alerts.channels.map(({ type }) => type)).toEqual([
      'log',
      'webhook',
      'alertmanager',
      'email',
      'slack',
      'a2a',
    ]);
    expect(policy.alerts.channels[1]?.options).toEqual({
      url: 'https://alerts.example.org/memwarden',
      secret_file: '/run/secrets/webhook',
    });
  });

  it('spells out the defaults: sections that only repeat them change nothing', () => {
    const {
      server,
      sampling,
      history,
      rules,
      pressure,
      leak,
      autoCleanup,
      orphans,
      oversight,
      ledger,
    } = parsePolicy('');
    expect(policy).toMatchObject({
      server,
      sampling,
      history,
      rules,
      pressure,
      leak,
      autoCleanup,
      orphans,
      oversight,
      ledger,
    });
  });

  it('says what this version does not act on, and who will not be told', () => {
    expect(policy.notAvailableYet).toEqual([
      'targets[0].attach: not available yet',
      'targets[0].roles: not available yet',
      'targets[0].cleaners[2] (gc): not available yet',
      'targets[0].restart: not available yet',
      'leak_detection: not available yet',
      'orphans: not available yet',
      'alerts.channels[1] (webhook): not available yet',
      'alerts.channels[2] (alertmanager): not available yet',
      'alerts.channels[3] (email): not available yet',
      'alerts.channels[4] (slack): not available yet',
      'alerts.channels[5] (a2a): not available yet',
      'oversight: not available yet',
      'ledger: not available yet',
    ]);
    expect(policy.warnings).toContain(
      'alerts.recipients.warning: no channel is named "Agent-5"; nothing is sent there',
    );
  });
});

describe('budgets', () => {
  it("prefer the target's own, then the service's of its name, with the global percents", () => {
    const { targets, globalBudget } = parsePolicy(`
memory_budgets:
  global: { warning_threshold_percent: 70, critical_threshold_percent: 90 }
  services: { own: 100MB, shared: 200MB }
targets:
  - { name: own, match: { pid: 1 }, budget: 1GiB }
  - { name: shared, match: { pid: 2 } }
  - { name: none, match: { pid: 3 } }
`);
    const percents = { warningPercent: 70, criticalPercent: 90 };
    expect(targets.map(({ budget }) => budget)).toEqual([
      { maxBytes: 2 ** 30, ...percents },
      { maxBytes: 200e6, ...percents },
      null,
    ]);
    expect(globalBudget).toBeNull();
  });

  it('take a size or a number of MiB under a key that ends in _mb', () => {
    const maxBytes = (value: string) =>
      parsePolicy(`memory_budgets: { global: { max_memory_mb: ${value} } }`).globalBudget?.maxBytes;
    expect([maxBytes('512'), maxBytes('512MB'), maxBytes('0.5GiB')]).toEqual([
      512 * 2 ** 20,
      512e6,
      512 * 2 ** 20,
    ]);
  });
});

describe('what decides', () => {
  const file =
    'server: { host: 10.0.0.1, port: 1000 }\ndata_dir: /file\nsampling: { interval: 2s }';

  it('flags before environment before file before default', () => {
    const env = { MEMWARDEN_HOST: '10.0.0.2', MEMWARDEN_PORT: '2000', MEMWARDEN_DATA_DIR: '/env' };
    const { server, dataDir, sampling } = parsePolicy(file, {
      env,
      flags: { port: '3000', dataDir: '/flag' },
    });
    expect([server.host, server.port, dataDir, sampling.intervalMs]).toEqual([
      '10.0.0.2',
      3000,
      '/flag',
      2_000,
    ]);
  });

  it('every variable', () => {
    const policy = parsePolicy('', {
      env: {
        MEMWARDEN_HOST: 'h',
        MEMWARDEN_PORT: '0',
        MEMWARDEN_DATA_DIR: '/d',
        MEMWARDEN_TOKEN: 't0ken',
        MEMWARDEN_TOKEN_FILE: '/t',
        MEMWARDEN_INTERVAL: '250ms',
        MEMWARDEN_ALLOWED_HOSTS: 'a.example, b.example,',
        MEMWARDEN_CONFIG: 'not read here',
        MEMWARDEN_URL: 'for the clients',
        PATH: '/usr/bin',
      },
    });
    expect(policy.server).toEqual({
      host: 'h',
      port: 0,
      token: 't0ken',
      tokenFile: '/t',
      allowedHosts: ['a.example', 'b.example'],
      protectMetrics: false,
    });
    expect([policy.dataDir, policy.sampling.intervalMs]).toEqual(['/d', 250]);
  });

  it('a wrong value is told where it was given, once', () => {
    const problems = toldOf(file, { env: { MEMWARDEN_INTERVAL: '5y' }, flags: { port: '80x' } });
    expect(problems).toEqual([
      'null --port: expected a whole number from 0 to 65535, got "80x"',
      'null MEMWARDEN_INTERVAL: expected a duration from 100ms to 60s, such as 500ms, 30s, 10m, 24h or 30d, got "5y"',
    ]);
  });

  it('a misspelt or empty variable is refused', () => {
    const env = { MEMWARDEN_PROT: '80', MEMWARDEN_HOST: '' };
    expect(toldOf('', { env })).toEqual([
      expect.stringMatching(/^null MEMWARDEN_PROT: .*did you mean "MEMWARDEN_PORT"/),
      'null MEMWARDEN_HOST: expected a value, or no such variable, got an empty one',
    ]);
  });

  it('the service links of a Kubernetes service named memwarden are not settings', () => {
    const env = {
      MEMWARDEN_PORT: 'tcp://10.3.0.7:8181',
      MEMWARDEN_SERVICE_HOST: '10.3.0.7',
      MEMWARDEN_SERVICE_PORT: '8181',
      MEMWARDEN_SERVICE_PORT_HTTP: '8181',
      MEMWARDEN_PORT_8181_TCP: 'tcp://10.3.0.7:8181',
      MEMWARDEN_PORT_8181_TCP_ADDR: '10.3.0.7',
      MEMWARDEN_PORT_8181_TCP_PROTO: 'tcp',
    };
    expect(parsePolicy('', { env })).toEqual(parsePolicy(''));
  });
});

describe('files', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'memwarden-policy-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const load = (options: Partial<LoadOptions> = {}): Policy =>
    loadPolicy({ env: {}, flags: {}, cwd, ...options });
  const write = (name: string, text: string | Uint8Array): void =>
    writeFileSync(join(cwd, name), text);

  it('none: the defaults', () => {
    expect(load()).toEqual(parsePolicy(''));
  });

  it('./memory_policy.yaml when it is there', () => {
    write('memory_policy.yaml', 'server: { port: 1 }');
    expect(load()).toMatchObject({ source: 'memory_policy.yaml', server: { port: 1 } });
  });

  it('--config before MEMWARDEN_CONFIG before ./memory_policy.yaml', () => {
    for (const [name, port] of [
      ['memory_policy.yaml', 1],
      ['env.yaml', 2],
      ['flag.yaml', 3],
    ] as const) {
      write(name, `server: { port: ${port} }`);
    }
    const env = { MEMWARDEN_CONFIG: 'env.yaml' };
    expect(load({ env }).server.port).toBe(2);
    expect(load({ env, flags: { config: join(cwd, 'flag.yaml') } }).server.port).toBe(3);
  });

  it('an empty MEMWARDEN_CONFIG is told as such', () => {
    const error = thrownBy(() => load({ env: { MEMWARDEN_CONFIG: '' } }));
    expect(problemsOf(error)).toMatchObject([{ file: 'environment', key: 'MEMWARDEN_CONFIG' }]);
  });

  it('one that is named and cannot be read stops the start, with the cause', () => {
    mkdirSync(join(cwd, 'directory'));
    write('latin1.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9));
    const failure = (config: string): unknown => {
      try {
        return load({ flags: { config } });
      } catch (error) {
        return error;
      }
    };
    expect(failure('gone.yaml')).toMatchObject({
      code: 'MEM_POLICY_UNREADABLE',
      message: 'gone.yaml: cannot be read: there is no such file',
      cause: { code: 'ENOENT' },
    });
    expect(failure('directory')).toMatchObject({
      code: 'MEM_POLICY_INVALID',
      message: 'directory: expected a regular file, got a directory',
    });
    expect(failure('latin1.yaml')).toMatchObject({
      code: 'MEM_POLICY_UNREADABLE',
      message: 'latin1.yaml: cannot be read: it is not UTF-8 text',
    });
    expect(failure('nul\0.yaml')).toMatchObject({ code: 'MEM_POLICY_UNREADABLE' });
  });

  it('an endless one is refused, and one that is too long by its length', () => {
    write('long.yaml', new Uint8Array(2 ** 21).fill(0x20));
    expect(() => load({ flags: { config: 'long.yaml' } })).toThrow(
      'long.yaml: expected at most 1 MiB of YAML, got more',
    );
    expect(() => load({ flags: { config: '/dev/zero' } })).toThrow(
      '/dev/zero: expected a regular file, got a device',
    );
  });

  it('a byte order mark and CRLF are read', () => {
    write('windows.yaml', '\uFEFFserver:\r\n  port: 7\r\n');
    expect(load({ flags: { config: 'windows.yaml' } }).server.port).toBe(7);
  });

  describe('the token', () => {
    const policy = 'server:\n  token_file: token\n';
    const writeToken = (text: string, mode = 0o600): void => {
      write('memory_policy.yaml', policy);
      write('token', text);
      chmodSync(join(cwd, 'token'), mode);
    };

    it('comes from the file, trimmed', () => {
      writeToken(' s3cret\n');
      expect(load()).toMatchObject({
        server: { token: 's3cret', tokenFile: 'token' },
        warnings: [],
      });
    });

    it('that is a named pipe is refused, and not waited for', () => {
      write('memory_policy.yaml', policy);
      execFileSync('mkfifo', [join(cwd, 'token')]);
      expect(problemsOf(thrownBy(load))).toMatchObject([
        { line: 2, key: 'server.token_file', expected: 'a regular file', got: 'a named pipe' },
      ]);
    });

    it('comes from the environment first, and the file is not opened', () => {
      write('memory_policy.yaml', policy);
      expect(load({ env: { MEMWARDEN_TOKEN: 'other' } }).server.token).toBe('other');
    });

    it('that every user can read is told', () => {
      writeToken('s3cret', 0o644);
      expect(load().warnings).toEqual([
        'server.token_file: every user of this machine can read it; chmod o-r mends that',
      ]);
    });

    it.each([
      ['', 'an empty file'],
      [' \n', 'an empty file'],
      ['s3cret two', 'something else in the file'],
      ['s3cret\nsecond', 'something else in the file'],
      ['s3crét', 'something else in the file'],
      ['s3cret'.repeat(1000), 'something else in the file'],
    ])('in %j is refused, and not shown', (text, got) => {
      writeToken(text);
      const problem = {
        file: 'memory_policy.yaml',
        line: 2,
        column: 3,
        key: 'server.token_file',
        expected: 'a token of printable ASCII characters without spaces',
        got,
      };
      const error = thrownBy(load);
      expect(problemsOf(error)).toEqual([problem]);
      expect(JSON.stringify([error, String(error)])).not.toContain('s3cr');
    });

    it('in a file that is not there is told at its line', () => {
      write('memory_policy.yaml', policy);
      expect(problemsOf(thrownBy(load))).toMatchObject([
        { line: 2, key: 'server.token_file', got: 'there is no such file' },
      ]);
    });

    it.each(['', 'two words', 'new\nline'])(
      'in MEMWARDEN_TOKEN as %j is refused, and not shown',
      (token) => {
        const error = thrownBy(() => load({ env: { MEMWARDEN_TOKEN: token } }));
        expect(problemsOf(error)).toMatchObject([{ file: 'environment', key: 'MEMWARDEN_TOKEN' }]);
        if (token !== '') expect(String(error)).not.toContain(token);
      },
    );
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
