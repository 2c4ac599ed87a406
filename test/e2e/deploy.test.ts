import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { needs } from './tools.ts';

const ROOT = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'memwarden-deploy-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const expectSuccess = (program: string, ...args: string[]): void => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  expect(status, `${program} ${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
};

interface Panel {
  title: string;
  targets: { expr: string }[];
}

const panels: Panel[] = JSON.parse(read('deploy/grafana/dashboards/memwarden.json')).panels;
const panelExpressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
const ruleExpressions: string[] = parse(read('deploy/alerts.rules.yml')).groups.flatMap(
  ({ rules }: { rules: { expr: string }[] }) => rules.map(({ expr }) => expr),
);

/** What GET /metrics may hold. */
const METRICS = new Set(
  [
    ...[
      'resident_memory_bytes proportional_memory_bytes swap_bytes processes threads open_fds up',
      'cpu_seconds_total heap_used_bytes heap_limit_bytes external_memory_bytes limit_bytes',
      'limit_eta_seconds leak_severity growth_bytes_per_hour generation',
    ].flatMap((names) => names.split(' ').map((name) => `target_${name}`)),
    ...['total_bytes', 'available_bytes', 'used_ratio', 'pressure_ratio'].map(
      (name) => `system_memory_${name}`,
    ),
    ...['cleanup_runs_total', 'cleaner_freed_bytes_total', 'reaped_total', 'orphans', 'custom'],
    ...['alert_state', 'samples_total', 'sample_overruns_total', 'sample_duration_seconds_bucket'],
  ].map((name) => `memwarden_${name}`),
);

describe('deploy', () => {
  it('Prometheus accepts its configuration and rules', (context) => {
    needs('promtool', context);
    expectSuccess('promtool', 'check', 'config', 'deploy/prometheus.yml');
  });

  it('every alert fires when it should and not before', (context) => {
    needs('promtool', context);
    expectSuccess('promtool', 'test', 'rules', 'test/e2e/alerts.test.yml');
    const tested = read('test/e2e/alerts.test.yml');
    for (const [, alert] of read('deploy/alerts.rules.yml').matchAll(/alert: (\w+)/g)) {
      expect(tested).toContain(`alertname: ${alert}`);
    }
  });

  it('Alertmanager accepts its configuration', (context) => {
    needs('amtool', context);
    expectSuccess('amtool', 'check-config', 'deploy/alertmanager.yml');
  });

  it('the panels of the dashboard are valid PromQL', (context) => {
    needs('promtool', context);
    const rules = panelExpressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    }));
    const file = join(scratch, 'panels.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expectSuccess('promtool', 'check', 'rules', file);
  });

  it('alerts and panels ask for metrics that memwarden has', () => {
    for (const expr of [...ruleExpressions, ...panelExpressions]) {
      for (const [name] of expr.matchAll(/\bmemwarden_\w+/g)) expect(METRICS).toContain(name);
    }
  });

  it('the dashboard finds its data source and Grafana finds the dashboard', () => {
    const provisioning = 'deploy/grafana/provisioning';
    const [source] = parse(read(`${provisioning}/datasources/prometheus.yml`)).datasources;
    const uids = read('deploy/grafana/dashboards/memwarden.json').matchAll(
      /"type": "prometheus",\s*"uid": "(\w+)"/g,
    );
    expect(new Set([...uids].map(([, uid]) => uid))).toEqual(new Set([source.uid]));

    const [provider] = parse(read(`${provisioning}/dashboards/memwarden.yml`)).providers;
    expect(parse(read('docker-compose.yml')).services.grafana.volumes).toContain(
      `./deploy/grafana/dashboards:${provider.options.path}:ro`,
    );
  });

  it('systemd accepts the unit', (context) => {
    needs('systemd-analyze', context);
    // A program that exists here stands in for the one that is not installed.
    const unit = read('deploy/memwarden.service').replace(
      /^(ExecStart=)\S+/m,
      `$1${process.execPath}`,
    );
    const file = join(scratch, 'memwarden.service');
    writeFileSync(file, unit);
    const { stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line.includes(file))).toEqual([]);
  });
});
