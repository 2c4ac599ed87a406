import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetricsPage } from '../../src/http/metrics-page.ts';
import { aClock, aWarden, sample, stopWardens } from '../integration/a-warden.ts';
import { endApps } from '../integration/an-app.ts';
import { endPrograms, eventually } from './program.ts';
import { createScratch, ROOT, startService } from './service.ts';
import { needs } from './tools.ts';

const scratch = createScratch();
afterEach(endPrograms);
afterEach(stopWardens);
afterAll(endApps);
afterAll(scratch.remove);

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

const POLICY = `
sampling: { interval: 200ms, detail_interval: 1s }
targets:
  - name: app
    match: { pid: ${process.pid} }
    budget: 16GiB
    cleaners: [{ name: nothing, level: gentle, command: ["true"] }]
thresholds: [{ name: Big, target: app, metric_key: process_memory_mb, threshold_value: 1000000 }]
`;

const shipped = ['deploy/alerts.rules.yml', 'deploy/grafana/dashboards/memwarden.json'];

/** Of a page: what its series are called, and which labels they have. */
const namesOn = (page: string): string[] => page.match(/^\w+(?=[{ ])/gm) ?? [];
const labelsOn = (page: string): string[] => page.match(/\w+(?==")/g) ?? [];

/** GET /metrics of a service to which everything has happened that there is a series for. */
async function livedPage(): Promise<string> {
  const service = await startService({ cwd: scratch.dir, policy: POLICY });
  await service.post('/internal/memory/cleanup', { level: 'gentle' });
  await service.fetch('/internal/memory/services/app/metrics', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"chat_sessions": 7}',
  });
  return eventually(
    async () => (await service.fetch('/metrics')).text(),
    (page) => /^memwarden_target_proportional.*"app"/m.test(page) && page.includes('chat_sessions'),
  );
}

/** A trend takes five minutes to know: its series from a warden for which they pass at once. */
function trendSeries(): string {
  const clock = aClock();
  const warden = aWarden('', { clock });
  sample(warden, clock, 400);
  const page = createMetricsPage(warden).render();
  return page.match(/^memwarden_target_growth_.*\n/gm)?.join('') ?? '';
}

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
    const file = scratch.file(
      'panels.yml',
      JSON.stringify({ groups: [{ name: 'panels', rules }] }),
    );
    expectSuccess('promtool', 'check', 'rules', file);
  });

  it('alerts and panels ask for metrics and labels that memwarden has', async () => {
    const page = (await livedPage()) + trendSeries();
    const names = new Set(namesOn(page));
    // Not every kernel measures pressure.
    if (!existsSync('/proc/pressure/memory')) names.add('memwarden_system_memory_pressure_ratio');
    // These two are Prometheus's own.
    const labels = new Set([...labelsOn(page), 'instance', 'job']);
    for (const text of shipped.map(read)) {
      for (const [name] of text.matchAll(/\b(?:memwarden|process)_\w+/g)) {
        expect(names).toContain(name);
      }
      for (const [, label] of text.matchAll(/\{\{ *(?:\$labels\.)?(\w+) *\}\}/g)) {
        expect(labels).toContain(label);
      }
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
    const file = scratch.file('memwarden.service', unit);
    const { stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line.includes(file))).toEqual([]);
  });
});
