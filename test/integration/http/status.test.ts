import { afterEach, describe, expect, it } from 'vitest';
import { aCleaner } from '../../unit/respond/a-cleanup.ts';
import { aService, endServices } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);

const STATUS = '/internal/memory/status';

/** Dotted paths of the nulls in a body. */
function nullsOf(value: unknown, path = ''): string[] {
  if (value === null) return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    nullsOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

describe('GET /internal/memory/status', () => {
  it('reports every part of the contract', async () => {
    const app = await anApp();
    const response = await app.inject(STATUS);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    const report = response.json();
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining([
        'status',
        'current',
        'trend',
        'thresholds',
        'history',
        'limits',
        'pressure',
        'leak',
        'diagnosis',
        'targets',
        'alerts',
        'self',
        'unknown',
      ]),
    );
    expect(report.status).toBe('ok');
    expect(report.target).toBe('self');
    expect(report.current.process.pid).toBe(process.pid);
    expect(report.current.process_memory_mb).toBeGreaterThan(1);
    expect(report.timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(report.history).toMatchObject({ persistent: true, dropped_segments: 0 });
    expect(report.self).toMatchObject({
      samples: 1,
      overruns: 0,
      degraded: 0,
      interval_seconds: 60,
    });
    expect(report.summary).toContain('self holds');
  });

  it('says null and why for what is not known', async () => {
    const app = await anApp();
    const report = (await app.inject(STATUS)).json();
    expect(report.trend).toMatchObject({ direction: 'unknown', slope_mb_per_hour: null });
    expect(report.trend.reason).toEqual(expect.any(String));
    expect(report.leak).toBeNull();
    const unknown = report.unknown.map(({ metric }: { metric: string }) => metric);
    expect(unknown).toEqual(expect.arrayContaining(['leak', 'diagnosis', 'current.heap_objects']));
    for (const { reason } of report.unknown) expect(reason).not.toBe('');
  });

  it('explains every null of every target', async () => {
    const service = await aService();
    const app = await anApp(`
targets: [{ name: api, match: { pid: ${service.pid} } }, { name: db, match: { command: no-such-program } }]
`);
    for (const target of ['self', 'api', 'db', 'system']) {
      const report = (await app.inject(`${STATUS}?target=${target}`)).json();
      const { alerts, thresholds, targets, cleaners, budget, global_budget, ...parts } = report;
      const explained: string[] = report.unknown.map(({ metric }: { metric: string }) => metric);
      const unexplained = nullsOf(parts).filter(
        (path) => !explained.some((known) => path === known || path.startsWith(`${known}.`)),
      );
      // what there is none of, and not what is unknown
      const absent = [
        'current.cgroup.limit_bytes',
        'limits.binding',
        'self.reason',
        'trend.reason',
      ];
      const notOfTheHost = ['process', 'heap', 'gc', 'cgroup'].map((part) => `current.${part}`);
      const allowed = target === 'system' ? [...absent, ...notOfTheHost] : absent;
      expect([target, unexplained.filter((path) => !allowed.includes(path))]).toEqual([target, []]);
    }
  });

  it('says of a rule that looks back why it is unknown, from the first sample on', async () => {
    const app = await anApp(
      'thresholds: [{ name: Growth, metric_key: process_memory_mb, comparison: percent_change, threshold_value: 20, window: 10m }]',
    );
    const report = (await app.inject(STATUS)).json();
    const growth = report.thresholds.find(({ name }: { name: string }) => name.includes('Growth'));
    expect(growth).toMatchObject({ state: 'unknown', value: null });
    expect(report.unknown).toContainEqual({
      metric: `thresholds.${growth.name}`,
      reason: expect.stringContaining('looks further back'),
    });
  });

  it('is of all targets when none is named: the worst, and unknown rather than ok', async () => {
    const service = await aService();
    const app = await anApp(`
thresholds: [{ name: Any memory, metric_key: process_memory_mb, threshold_value: 1, target: api, severity: critical }]
targets: [{ name: db, match: { command: no-such-program } }, { name: api, match: { pid: ${service.pid} } }]
`);
    const statusOf = async (query = '') => (await app.inject(STATUS + query)).json();
    expect((await statusOf('?target=self')).status).toBe('ok');
    expect((await statusOf('?target=db')).status).toBe('unknown');
    const whole = await statusOf();
    expect(whole).toMatchObject({ status: 'critical', target: 'db' });
    expect(whole.summary).toMatch(/^db is waiting: .* Alerts: critical: Any memory on api/);
    const other = await anApp('targets: [{ name: db, match: { command: no-such-program } }]');
    expect((await other.inject(STATUS)).json().status).toBe('unknown');
  });

  it('says what was done, in words and by cleaner', async () => {
    const app = await anApp();
    app.memory.addCleaner(aCleaner('sessions', () => ({ freedBytes: 2 ** 20 })));
    const before = (await app.inject(STATUS)).json();
    expect(before.summary).not.toContain('Cleaned');
    await app.memory.cleanup.run({ level: 'gentle', reason: 'test' });
    const after = (await app.inject(STATUS)).json();
    expect(after.summary).toMatch(/ Cleaned at 20\S+Z: sessions \(self\) freed 1\b.*MiB\.$/);
    expect(after.cleaners).toContainEqual(
      expect.objectContaining({ cleaner: 'sessions', runs: 1, ok: 1, freed_bytes_total: 2 ** 20 }),
    );
  });

  it('says which cleaner failed and why, and does not call that cleaned', async () => {
    const app = await anApp();
    app.memory.addCleaner(aCleaner('sessions', () => Promise.reject(new Error('store is locked'))));
    await app.memory.cleanup.run({ level: 'gentle', reason: 'test' });
    const report = (await app.inject(STATUS)).json();
    expect(report.summary).toMatch(
      / Cleanup failed at 20\S+Z: sessions \(self\): store is locked\.$/,
    );
    expect(report.summary).not.toContain('Cleaned');
  });

  it('of one target names the others that alert, and tells its own in full', async () => {
    const service = await aService();
    const app = await anApp(`
thresholds: [{ name: Any memory, metric_key: process_memory_mb, threshold_value: 1, target: api, severity: critical }]
targets: [{ name: api, match: { pid: ${service.pid} } }]
`);
    const summaryOf = async (target: string) =>
      (await app.inject(`${STATUS}?target=${target}`)).json().summary;
    expect(await summaryOf('self')).toMatch(/ No alert\. Elsewhere: alerts on api\.$/);
    expect(await summaryOf('api')).toMatch(/ Alerts: critical: Any memory on api: .*\.$/);
  });

  it('speaks of the first target of the policy, and of another one when asked', async () => {
    const service = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${service.pid} } }]`);
    const first = (await app.inject(STATUS)).json();
    expect(first.target).toBe('api');
    expect(first.current.process.pid).toBe(service.pid);
    expect(first.targets.map(({ name }: { name: string }) => name)).toEqual(['api', 'self']);
    const own = (await app.inject(`${STATUS}?target=self`)).json();
    expect(own.current.process.pid).toBe(process.pid);
    const host = (await app.inject(`${STATUS}?target=system`)).json();
    expect(host.current.process).toBeNull();
    expect(host.summary).toMatch(/^The host/);
  });

  it('refuses an unknown target, and a parameter that is not documented', async () => {
    const app = await anApp();
    const missing = await app.inject(`${STATUS}?target=nobody`);
    expect(missing.statusCode).toBe(404);
    expect(missing.headers['content-type']).toContain('application/problem+json');
    expect(missing.json()).toMatchObject({ status: 404, code: 'MEM_UNKNOWN_TARGET' });
    expect(missing.json().detail).toContain('Known: self, system');
    const misspelt = await app.inject(`${STATUS}?tagret=self`);
    expect(misspelt.statusCode).toBe(400);
    expect(misspelt.json().code).toBe('MEM_BAD_REQUEST');
  });

  it('says that a target has gone, and why', async () => {
    const service = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${service.pid} } }]`);
    await service.end();
    app.memory.tick();
    const report = (await app.inject(STATUS)).json();
    expect(report.current.process).toBeNull();
    expect(report.current.process_memory_mb).toBeNull();
    expect(report.targets[0]).toMatchObject({ name: 'api', state: 'gone', rss_bytes: null });
    expect(report.summary).toContain(`api is gone: process ${service.pid} has ended`);
  });

  it('judges budgets: the target’s own and the whole', async () => {
    const service = await aService();
    const app = await anApp(`
memory_budgets: { global: { max_memory_mb: 1 } }
targets: [{ name: api, match: { pid: ${service.pid} }, budget: 2MiB }]
`);
    const report = (await app.inject(STATUS)).json();
    expect(report.budget).toMatchObject({ status: 'critical', max_bytes: 2 ** 21 });
    expect(report.budget.used_percent).toBeGreaterThan(100);
    expect(report.global_budget).toMatchObject({ status: 'critical', max_bytes: 2 ** 20 });
    expect(report.status).not.toBe('ok');
    expect(report.limits.binding).toMatchObject({ kind: 'budget' });
    expect(report.limits.binding.headroom_bytes).toBeLessThan(0);
  });

  it('does not answer from before a service was added or taken away', async () => {
    const service = await aService();
    const app = await anApp();
    const names = async (): Promise<string[]> =>
      (await app.inject(STATUS)).json().targets.map(({ name }: { name: string }) => name);
    expect(await names()).toEqual(['self']);
    const url = '/internal/memory/services/shop';
    await app.inject({ method: 'PUT', url, payload: { pid: service.pid } });
    expect(await names()).toEqual(['shop', 'self']);
    expect((await app.inject(`${STATUS}?target=shop`)).statusCode).toBe(200);
    await app.inject({ method: 'DELETE', url });
    expect((await app.inject(`${STATUS}?target=shop`)).statusCode).toBe(404);
    expect(await names()).toEqual(['self']);
  });
});
