import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { AlertEvent } from '../../../src/warden.ts';
import { aHook, endHooks } from '../a-hook.ts';
import { aService, endServices, type Service } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);
afterEach(endHooks);

const alertsOf = async (app: FastifyInstance, query = '') =>
  (await app.inject(`/internal/memory/alerts${query}`)).json().alerts;

const watching = (service: Service, rule: string): string => `
thresholds: [{ name: Big, metric_key: process_memory_mb, threshold_value: 150, target: api, ${rule} }]
targets: [{ name: api, match: { pid: ${service.pid} } }]
`;

/** What was told, in order. */
function listen(app: FastifyInstance): AlertEvent[] {
  const told: AlertEvent[] = [];
  app.memory.events.on('alert', (event) => told.push(event));
  return told;
}

describe('GET /internal/memory/alerts', () => {
  it('follows a real allocation: it fires, is told once, and clears', async () => {
    const service = await aService();
    const app = await anApp(watching(service, 'severity: critical'));
    const told = listen(app);
    expect(await alertsOf(app)).toEqual([]);

    await service.hold(200);
    for (let i = 0; i < 3; i++) app.memory.tick();
    const [firing] = await alertsOf(app);
    expect(firing).toMatchObject({
      name: 'Big',
      target: 'api',
      state: 'firing',
      severity: 'critical',
      metric_key: 'process_memory_mb',
      comparison: 'greater_than',
      threshold_value: 150,
      unit: 'MiB',
    });
    expect(firing.id).toMatch(/^[0-9a-f]{12}$/);
    expect(firing.value).toBeGreaterThan(200);
    expect(firing.message).toContain('api');
    expect(Date.parse(firing.last_notified)).toBeGreaterThan(Date.now() - 60_000);
    const status = (await app.inject('/internal/memory/status')).json();
    expect(status.status).toBe('critical');
    expect(status.alerts).toMatchObject([{ id: firing.id }]);
    expect(status.summary).toContain('Alerts:');

    await service.hold(0);
    for (let i = 0; i < 3; i++) app.memory.tick();
    const [resolved] = await alertsOf(app);
    expect(resolved).toMatchObject({ id: firing.id, state: 'resolved', message: null });
    expect(resolved.value).toBeLessThan(150);
    expect((await app.inject('/internal/memory/status')).json().alerts).toEqual([]);
    expect(told.map(({ event }) => event)).toEqual(['fired', 'resolved']);
    expect(told[0]?.message).toContain('Big');
  });

  it('is pending until it has held for as long as the rule asks', async () => {
    const service = await aService();
    const app = await anApp(watching(service, 'for: 10m'));
    const told = listen(app);
    await service.hold(200);
    app.memory.tick();
    app.memory.tick();
    expect(await alertsOf(app)).toMatchObject([{ state: 'pending', message: null }]);
    await service.hold(0);
    app.memory.tick();
    expect(await alertsOf(app)).toEqual([]);
    expect(told).toEqual([]);
  });

  it('lists every rule when asked, unknown ones too', async () => {
    const app = await anApp(`
thresholds:
  - { name: Sessions, metric_key: chat_sessions, threshold_value: 10 }
  - { name: Quiet, metric_key: process_memory_mb, threshold_value: 1000000 }
`);
    app.memory.tick();
    expect(await alertsOf(app)).toEqual([]);
    expect(await alertsOf(app, '?all=true')).toMatchObject([
      { name: 'Sessions', state: 'unknown', value: null },
      { name: 'Quiet', state: 'inactive' },
    ]);
    expect((await app.inject('/internal/memory/alerts?all=maybe')).statusCode).toBe(400);
  });

  it('judges a gauge that appears after the start, and one that falls silent', async () => {
    const app = await anApp(`
thresholds:
  - { name: Sessions, metric_key: chat_sessions, threshold_value: 10 }
  - { name: Silent, metric_key: chat_sessions, comparison: absent }
`);
    const stateOf = async (name: string) =>
      (await alertsOf(app, '?all=true')).find((alert: { name: string }) => alert.name === name);
    const url = '/internal/memory/services/self/metrics';
    expect(await stateOf('Silent')).toMatchObject({ state: 'firing' });
    await app.inject({ method: 'POST', url, payload: { chat_sessions: 11 } });
    app.memory.tick();
    expect(await stateOf('Sessions')).toMatchObject({ state: 'firing', value: 11 });
    expect(await stateOf('Silent')).toMatchObject({ state: 'resolved' });
    await app.inject({ method: 'POST', url, payload: { chat_sessions: 3 } });
    app.memory.tick();
    expect(await stateOf('Sessions')).toMatchObject({ state: 'resolved' });
  });

  it('starts the cleanup that the rule asks for, once in a cooldown', async () => {
    const service = await aService();
    const hook = await aHook((_request, response) => response.end('{"items":1}'));
    const app = await anApp(`
thresholds:
  - { name: Big, metric_key: process_memory_mb, threshold_value: 150, target: api, actions: [notify, "cleanup:aggressive"], alert_cooldown_minutes: 0 }
targets:
  - name: api
    match: { pid: ${service.pid} }
    cleaners: [{ name: trim, level: aggressive, http: { url: "${hook.url}" } }]
`);
    await service.hold(200);
    const acted = once(app.memory.events, 'action');
    app.memory.tick();
    const [run] = await acted;
    expect(run).toMatchObject({ level: 'aggressive', reason: 'rule Big' });
    expect(run.results).toMatchObject([{ cleaner: 'trim', target: 'api', outcome: 'ok' }]);
    for (let i = 0; i < 5; i++) app.memory.tick();
    await app.inject({ method: 'POST', url: '/cleanup', payload: { level: 'gentle' } });
    expect(hook.bodies).toHaveLength(1);
  });

  it('knows a rule by the same id over a restart', async () => {
    const service = await aService();
    const ids = [];
    for (let i = 0; i < 2; i++) {
      const app = await anApp(watching(service, 'severity: critical'));
      ids.push((await alertsOf(app, '?all=true'))[0].id);
    }
    expect(ids[0]).toBe(ids[1]);
  });
});
