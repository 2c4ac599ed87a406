import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { aCleaner } from '../../unit/respond/a-cleanup.ts';
import { aService, endServices } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

/** Series of the page by name and labels; every line must be one that Prometheus takes. */
async function scrape(app: FastifyInstance): Promise<Map<string, number>> {
  const response = await app.inject('/metrics');
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(response.body.endsWith('\n')).toBe(true);
  const series = new Map<string, number>();
  const families = new Set<string>();
  for (const line of response.body.split('\n')) {
    const [, kind, family] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (kind === 'TYPE') {
      expect(families.has(family as string)).toBe(false);
      families.add(family as string);
    }
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    const key = `${name}{${labels}}`;
    expect([line, series.has(key)]).toEqual([line, false]);
    series.set(key, Number(value?.replace('Inf', 'Infinity')));
  }
  return series;
}

describe('GET /metrics', () => {
  it('says the same as the JSON', async () => {
    const { pid } = await aService();
    const app = await anApp(`
memory_budgets: { services: { api: 1GiB } }
thresholds: [{ name: Big, metric_key: process_memory_mb, threshold_value: 1, severity: critical }]
targets: [{ name: api, match: { pid: ${pid} } }]
`);
    app.memory.addGauge('self', 'chat_sessions', () => 42.5);
    app.memory.tick();
    const page = await scrape(app);
    const status = (await app.inject('/internal/memory/status')).json();
    const [api] = status.targets;
    expect(page.get('memwarden_target_resident_memory_bytes{target="api"}')).toBe(api.rss_bytes);
    expect(page.get('memwarden_target_up{target="api"}')).toBe(1);
    expect(page.get('memwarden_target_limit_bytes{kind="budget",target="api"}')).toBe(2 ** 30);
    expect(page.get('memwarden_system_memory_total_bytes{}')).toBe(
      status.current.system.total_bytes,
    );
    expect(page.get('memwarden_custom{name="chat_sessions",target="self"}')).toBe(42.5);
    expect(page.get('memwarden_alert_state{rule="Big",severity="critical",target="api"}')).toBe(2);
    expect(page.get('memwarden_samples_total{}')).toBe(status.self.samples);
    // the last one is told of while it is still being taken
    const timed = page.get('memwarden_sample_duration_seconds_count{}');
    expect(timed).toBe(status.self.samples - 1);
    expect(page.has('process_resident_memory_bytes{}')).toBe(true);
  });

  it('leaves out what is not known', async () => {
    const service = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${service.pid} } }]`);
    app.memory.addGauge('api', 'broken', () => Number.NaN);
    await service.end();
    app.memory.tick();
    const page = await scrape(app);
    const ofApi = [...page.keys()].filter((key) => key.includes('target="api"'));
    expect(ofApi.sort()).toEqual([
      'memwarden_target_generation{target="api"}',
      'memwarden_target_up{target="api"}',
    ]);
    expect(page.get('memwarden_target_up{target="api"}')).toBe(0);
    const ours = [...page].filter(([key]) => key.startsWith('memwarden_'));
    for (const [key, value] of ours) expect([key, Number.isNaN(value)]).toEqual([key, false]);
  });

  it('carries no pid, path or URL', async () => {
    const { pid } = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${pid} } }]`);
    const lines = (await app.inject('/metrics')).body
      .split('\n')
      .filter((line) => line.startsWith('memwarden_'));
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      const labels = /\{(.*)\}/.exec(line)?.[1] ?? '';
      expect(labels).not.toMatch(new RegExp(`pid|/|http|\\b${pid}\\b`));
    }
  });

  it('counts cleanups, and not dry runs', async () => {
    const app = await anApp();
    const fails = () => Promise.reject(new Error('broken'));
    app.memory.addCleaner(aCleaner('sessions', () => ({ freedBytes: 1000, items: 1 })));
    app.memory.addCleaner(aCleaner('broken', fails, { level: 'aggressive' }));
    const clean = (dry_run: boolean) =>
      app.inject({
        method: 'POST',
        url: '/cleanup',
        payload: { level: 'gentle', dry_run },
      });
    await clean(true);
    await clean(false);
    await clean(false);
    const page = await scrape(app);
    expect(page.get('memwarden_cleanup_runs_total{level="gentle",outcome="ok"}')).toBe(2);
    expect(page.get('memwarden_cleaner_freed_bytes_total{cleaner="sessions"}')).toBe(2000);
    await app.memory.cleanup.run({ level: 'aggressive', reason: 'test' });
    const later = await scrape(app);
    expect(later.get('memwarden_cleanup_runs_total{level="aggressive",outcome="failed"}')).toBe(1);
    expect(later.get('memwarden_cleanup_runs_total{level="gentle",outcome="ok"}')).toBe(2);
    expect(later.get('memwarden_cleanup_runs_total{level="emergency",outcome="ok"}')).toBe(0);
  });

  it('escapes what a rule may be called', async () => {
    const app = await anApp(
      `thresholds: [{ name: "a \\"quoted\\" \\\\ name", metric_key: threads, threshold_value: 1 }]`,
    );
    const page = await scrape(app);
    expect([...page.keys()].filter((key) => key.includes('quoted'))).toEqual([
      'memwarden_alert_state{rule="a \\"quoted\\" \\\\ name",severity="warning",target="self"}',
    ]);
  });

  it('drops the series of a service that went', async () => {
    const { pid } = await aService();
    const app = await anApp();
    const before = new Set((await scrape(app)).keys());
    for (let i = 0; i < 20; i++) {
      const url = `/internal/memory/services/s${i}`;
      await app.inject({ method: 'PUT', url, payload: { pid } });
      expect((await scrape(app)).has(`memwarden_target_up{target="s${i}"}`)).toBe(true);
      await app.inject({ method: 'DELETE', url });
    }
    const after = [...(await scrape(app)).keys()].filter((key) => /target="s\d+"/.test(key));
    expect(after).toEqual([]);
    expect(before.size).toBeGreaterThan(0);
  });
});

describe('GET /sd/prometheus', () => {
  it('lists services that said where their metrics are', async () => {
    const { pid } = await aService();
    const app = await anApp();
    expect((await app.inject('/sd/prometheus')).json()).toEqual([]);
    for (const [name, more] of Object.entries({
      quiet: {},
      shop: { metrics_address: '127.0.0.1:9100' },
      pay: { metrics_address: '[::1]:9200', metrics_path: '/prom' },
    })) {
      const url = `/internal/memory/services/${name}`;
      const response = await app.inject({ method: 'PUT', url, payload: { pid, ...more } });
      expect(response.statusCode).toBe(200);
    }
    const response = await app.inject('/sd/prometheus');
    expect(response.headers['content-type']).toContain('application/json');
    expect(response.json()).toEqual([
      { targets: ['127.0.0.1:9100'], labels: { job: 'shop', __metrics_path__: '/metrics' } },
      { targets: ['[::1]:9200'], labels: { job: 'pay', __metrics_path__: '/prom' } },
    ]);
  });
});
