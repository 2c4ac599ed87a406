import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { aHook, endHooks } from '../a-hook.ts';
import { aService, endServices } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);
afterEach(endHooks);

const SERVICES = '/internal/memory/services';

const put = (app: FastifyInstance, name: string, payload: object) =>
  app.inject({ method: 'PUT', url: `${SERVICES}/${name}`, payload });
const push = (app: FastifyInstance, name: string, payload: object) =>
  app.inject({ method: 'POST', url: `${SERVICES}/${name}/metrics`, payload });
const pushText = (app: FastifyInstance, payload: string) =>
  app.inject({
    method: 'POST',
    url: `${SERVICES}/self/metrics`,
    headers: { 'content-type': 'application/json' },
    payload,
  });
const forget = (app: FastifyInstance, name: string) =>
  app.inject({ method: 'DELETE', url: `${SERVICES}/${name}` });
const targetOf = (app: FastifyInstance, name: string) =>
  app.inject(`/internal/memory/targets/${name}`);

/** A free pid: of a process that has ended and was reaped. */
async function aDeadPid(): Promise<number> {
  const service = await aService();
  await service.end();
  return service.pid;
}

describe('PUT /internal/memory/services/:name', () => {
  it('watches the process from then on', async () => {
    const { pid } = await aService();
    const app = await anApp();
    const response = await put(app, 'shop', { pid });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      name: 'shop',
      state: 'running',
      pid,
      generation: 1,
      registered: true,
    });
    app.memory.tick();
    expect((await targetOf(app, 'shop')).json().rss_bytes).toBeGreaterThan(1e6);
  });

  it('changes what was registered', async () => {
    const [first, second] = [await aService(), await aService()];
    const app = await anApp();
    await put(app, 'shop', { pid: first.pid, budget: '1MiB' });
    app.memory.tick();
    const status = await app.inject('/internal/memory/status?target=shop');
    expect(status.json().budget).toMatchObject({ status: 'critical', max_bytes: 2 ** 20 });
    await put(app, 'shop', { pid: second.pid });
    const body = (await targetOf(app, 'shop')).json();
    expect(body).toMatchObject({ pid: second.pid, state: 'running' });
    const later = await app.inject('/internal/memory/status?target=shop');
    expect(later.json().budget).toBeNull();
  });

  it('calls the cleanup URL of the service', async () => {
    const { pid } = await aService();
    const hook = await aHook((_request, response) => response.end('{"items":3}'));
    const app = await anApp();
    await put(app, 'shop', { pid, cleanup_url: hook.url, cleanup_level: 'gentle' });
    const run = await app.inject({
      method: 'POST',
      url: '/internal/memory/cleanup',
      payload: { target: 'shop', level: 'gentle' },
    });
    expect(run.json().results).toMatchObject([{ target: 'shop', outcome: 'ok', items: 3 }]);
  });

  it.each([
    ['system', { pid: 1 }],
    ['self', { pid: 1 }],
    ['sp%20ace', { pid: 1 }],
    ['quo"te', { pid: 1 }],
    ['a%2Fb', { pid: 1 }],
    ['n'.repeat(65), { pid: 1 }],
    ['shop', {}],
    ['shop', { pid: 0 }],
    ['shop', { pid: -1 }],
    ['shop', { pid: 1.5 }],
    ['shop', { pid: 4_194_305 }],
    ['shop', { pid: 2 ** 40 }],
    ['shop', { pid: 1e99 }],
    ['shop', { pid: '1' }],
    ['shop', { pid: null }],
    ['shop', { pid: 1, budget: 'lots' }],
    ['shop', { pid: 1, budget: '0B' }],
    ['shop', { pid: 1, cleanup_url: 'file:///etc/passwd' }],
    ['shop', { pid: 1, cleanup_url: 'http://169.254.169.254/' }],
    ['shop', { pid: 1, cleanup_url: 'http://user:pw@127.0.0.1/' }],
    ['shop', { pid: 1, cleanup_level: 'nuclear' }],
    ['shop', { pid: 1, metrics_address: 'not an address' }],
    ['shop', { pid: 1, metrics_path: 'metrics' }],
    ['shop', { pid: 1, match: { command: '.*' } }],
  ])('refuses the name %s with %j', async (name, payload) => {
    const app = await anApp();
    const response = await put(app, name, payload);
    expect(response.json()).toMatchObject({ status: 400, code: 'MEM_BAD_REQUEST' });
    expect(app.memory.services.all()).toEqual([]);
  });

  it.each([0, -1, -1.5, 1.5, 4_194_305, 2 ** 40, 1e99, '1', null])(
    'says what a pid is to one that sends %j',
    async (pid) => {
      const app = await anApp();
      const { errors } = (await put(app, 'shop', { pid })).json();
      const got = typeof pid === 'number' ? String(pid) : JSON.stringify(pid);
      expect(errors).toEqual([
        { pointer: 'body/pid', detail: `expected an integer from 1 to 4194304, got ${got}` },
      ]);
    },
  );

  it('takes the largest pid there can be', async () => {
    const app = await anApp();
    expect((await put(app, 'shop', { pid: 4_194_304 })).statusCode).toBe(200);
  });

  it('does not take a name from the policy', async () => {
    const { pid } = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${pid} } }]`);
    const response = await put(app, 'api', { pid });
    expect(response.json()).toMatchObject({ status: 409, code: 'MEM_CONFLICT' });
  });

  it('waits for a pid that is not there, and says why', async () => {
    const pid = await aDeadPid();
    const app = await anApp();
    const body = (await put(app, 'shop', { pid })).json();
    expect(body).toMatchObject({ state: 'waiting', pid: null });
    expect(body.reason).toContain(String(pid));
  });

  it('takes names that JavaScript has uses for', async () => {
    const { pid } = await aService();
    const app = await anApp();
    for (const name of ['constructor', 'toString', '__proto__', '..']) {
      const response = await app.inject({
        method: 'PUT',
        url: `${SERVICES}/${name.replaceAll('.', '%2e')}`,
        payload: { pid },
      });
      if (response.statusCode !== 200) {
        expect([name, response.statusCode]).toEqual(['..', 404]);
        continue;
      }
      expect((await targetOf(app, name)).json().pid).toBe(pid);
      expect((await push(app, name, { sessions: 1 })).statusCode).toBe(204);
      expect((await forget(app, name)).statusCode).toBe(204);
    }
    expect(({} as Record<string, unknown>).pid).toBeUndefined();
  });
});

describe('DELETE /internal/memory/services/:name', () => {
  it('stops watching, and answers 404 the second time', async () => {
    const { pid } = await aService();
    const app = await anApp();
    await put(app, 'shop', { pid });
    const response = await forget(app, 'shop');
    expect([response.statusCode, response.body]).toEqual([204, '']);
    expect((await targetOf(app, 'shop')).statusCode).toBe(404);
    expect((await forget(app, 'shop')).json()).toMatchObject({ code: 'MEM_UNKNOWN_TARGET' });
  });

  it('takes the JSON type that many clients always send', async () => {
    const { pid } = await aService();
    const app = await anApp();
    await put(app, 'shop', { pid });
    const headers = { 'content-type': 'application/json' };
    const response = await app.inject({ method: 'DELETE', url: `${SERVICES}/shop`, headers });
    expect(response.statusCode).toBe(204);
  });

  it('does not touch a target of the policy', async () => {
    const { pid } = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${pid} } }]`);
    expect((await forget(app, 'api')).statusCode).toBe(404);
    expect((await targetOf(app, 'api')).json().state).toBe('running');
  });
});

describe('POST /internal/memory/services/:name/metrics', () => {
  it('shows a pushed gauge in the next reading, in history and for Prometheus', async () => {
    const { pid } = await aService();
    const app = await anApp();
    await put(app, 'shop', { pid });
    const response = await push(app, 'shop', { chat_sessions: 12, ratio: 0.5 });
    expect([response.statusCode, response.body]).toEqual([204, '']);
    app.memory.tick();
    const reading = await app.inject('/internal/memory/metrics?target=shop');
    expect(reading.json().custom_metrics).toEqual({ chat_sessions: 12, ratio: 0.5 });
    const history = await app.inject('/internal/memory/history?target=shop&series=custom.ratio');
    expect(history.json().series['custom.ratio'].at(-1)).toBe(0.5);
    const page = (await app.inject('/metrics')).body;
    expect(page).toContain('memwarden_custom{name="chat_sessions",target="shop"} 12');
  });

  it('takes gauges for a target of the policy as well', async () => {
    const app = await anApp();
    expect((await push(app, 'self', { document_states: 4 })).statusCode).toBe(204);
    const reading = (await app.inject('/internal/memory/metrics')).json();
    expect(reading.custom_metrics).toEqual({ document_states: 4 });
  });

  it('refuses what is not a number, by name, and takes none of it', async () => {
    const app = await anApp();
    for (const payload of [
      '{"good":1,"bad":"2"}',
      '{"bad":null}',
      '{"bad":1e999}',
      '{"bad-name":1}',
      '{"__proto__":1}',
      '{"__proto__":{"polluted":true}}',
      '{"constructor":{"prototype":{"polluted":true}}}',
      '{}',
      '[]',
      '{"open":',
      JSON.stringify(Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`g${i}`, i]))),
    ]) {
      const response = await pushText(app, payload);
      expect([payload.slice(0, 40), response.statusCode]).toEqual([payload.slice(0, 40), 400]);
      expect(response.json().code).toBe('MEM_BAD_REQUEST');
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((await app.inject('/internal/memory/metrics')).json().custom_metrics).toEqual({});
  });

  it.each([
    [
      '{"bad-name":1}',
      'body key "bad-name": expected 1–64 of A–Z a–z 0–9 _, the first not a digit',
    ],
    ['{"9lives":1}', 'body key "9lives": expected 1–64 of A–Z a–z 0–9 _, the first not a digit'],
    ['{"":1}', 'body key "": expected 1–64 of A–Z a–z 0–9 _, the first not a digit'],
    ['{}', 'body expected at least 1 key'],
    ['{"open":', 'The body is not valid JSON.'],
  ])('says of %s what would be right', async (payload, detail) => {
    const app = await anApp();
    const response = await pushText(app, payload);
    expect(response.json()).toMatchObject({ status: 400, code: 'MEM_BAD_REQUEST', detail });
  });

  it.each([
    '{"__proto__":1}',
    '{"a":{"__proto__":1}}',
    '{"\\u005f_proto__":1}',
    '{"constructor":{"prototype":1}}',
  ])('says that %s has a key that is refused, and not that it is no JSON', async (payload) => {
    const app = await anApp();
    const { detail } = (await pushText(app, payload)).json();
    expect(detail).toContain('"__proto__"');
    expect(detail).not.toContain('valid JSON');
  });

  it('asks an unknown service to register first', async () => {
    const app = await anApp();
    const response = await push(app, 'nobody', { a: 1 });
    expect(response.json()).toMatchObject({ status: 404, code: 'MEM_UNKNOWN_TARGET' });
    expect(response.json().detail).toContain('PUT /internal/memory/services/nobody');
  });

  it('stops taking new gauges when history is full, and goes on with those it has', async () => {
    const app = await anApp();
    await push(app, 'self', { known: 1 });
    expect(() => {
      for (let i = 0; ; i++) app.memory.history.column(`other/${i}`);
    }).toThrow(RangeError);
    const refused = (await push(app, 'self', { fresh: 1 })).json();
    expect(refused).toMatchObject({ status: 429, code: 'MEM_TOO_MANY_SERIES' });
    expect((await push(app, 'self', { known: 99 })).statusCode).toBe(204);
    app.memory.tick();
    expect((await app.inject('/internal/memory/status')).statusCode).toBe(200);
    const { pid } = await aService();
    const late = await put(app, 'late', { pid });
    expect(late.json()).toMatchObject({ status: 429, code: 'MEM_TOO_MANY_SERIES' });
    expect(app.memory.services.all()).toEqual([]);
    expect((await targetOf(app, 'late')).statusCode).toBe(404);
  });
});
