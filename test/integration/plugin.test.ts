import { readdirSync, readlinkSync } from 'node:fs';
import bearerAuth from '@fastify/bearer-auth';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { type MemwardenOptions, memwarden } from '../../src/plugin.ts';
import { parsePolicy } from '../../src/policy/load.ts';
import type { Cleaner } from '../../src/respond/cleaner.ts';
import { aDataDir, anApp, aPolicy, end, endApps } from './an-app.ts';

const hosts = new Set<FastifyInstance>();
afterEach(async () => {
  for (const host of hosts) await host.close();
  hosts.clear();
});
afterEach(endApps);

/** An application of someone else's, not ready yet. */
function aHost(options = {}): FastifyInstance {
  const host = Fastify(options);
  hosts.add(host);
  return host;
}

const readOne = (): number => 1;

const register = (host: FastifyInstance, options: MemwardenOptions = {}) =>
  host.register(memwarden, { policy: aPolicy(), ...options });

describe('memwarden in an application', () => {
  it('adds a decorator and its routes, and no others', async () => {
    const host = aHost();
    await register(host);
    await host.ready();
    expect(host.memory.states()).toMatchObject([{ name: 'self', state: 'running' }]);
    for (const url of ['/internal/memory/status', '/metrics']) {
      expect([url, (await host.inject(url)).statusCode]).toEqual([url, 200]);
    }
    for (const url of ['/health/live', '/cleanup', '/sd/prometheus', '/docs', '/']) {
      expect([url, (await host.inject({ method: 'GET', url })).statusCode]).toEqual([url, 404]);
    }
    expect((await host.inject('/metrics')).body).not.toContain('nodejs_version_info');
  });

  it('goes where it is told', async () => {
    const host = aHost();
    await register(host, { prefix: '/ops/memory', metricsPath: '/ops/metrics', health: true });
    await host.ready();
    for (const url of ['/ops/memory/status', '/ops/metrics', '/health/ready']) {
      expect([url, (await host.inject(url)).statusCode]).toEqual([url, 200]);
    }
    expect((await host.inject('/internal/memory/status')).statusCode).toBe(404);
    const quiet = aHost();
    await register(quiet, { metricsPath: false });
    expect((await quiet.inject('/metrics')).statusCode).toBe(404);
  });

  it('leaves the error handlers of the application alone, and keeps its own', async () => {
    const host = aHost();
    host.setErrorHandler((error, _request, reply) =>
      reply.code(418).send({ mine: (error as Error).message }),
    );
    host.setNotFoundHandler((_request, reply) => reply.code(404).send({ mine: 'nothing' }));
    await register(host);
    host.get('/broken', async () => {
      throw new Error('of the host');
    });
    const own = await host.inject('/broken');
    expect([own.statusCode, own.json()]).toEqual([418, { mine: 'of the host' }]);
    expect((await host.inject('/nothing')).json()).toEqual({ mine: 'nothing' });
    const method = await host.inject({ method: 'PUT', url: '/internal/memory/status' });
    expect([method.statusCode, method.json()]).toEqual([404, { mine: 'nothing' }]);
    const ours = await host.inject('/internal/memory/status?target=nobody');
    expect(ours.json()).toMatchObject({ status: 404, code: 'MEM_UNKNOWN_TARGET' });
  });

  it('leaves the bodies of the application alone, and keeps to its own', async () => {
    const host = aHost({ bodyLimit: 1 << 20 });
    await register(host);
    host.post('/echo', async (request) => ({ length: String(request.body).length }));
    const long = 'x'.repeat(100_000);
    const echo = await host.inject({
      method: 'POST',
      url: '/echo',
      headers: { 'content-type': 'text/plain' },
      payload: long,
    });
    expect(echo.json()).toEqual({ length: 100_000 });
    const url = '/internal/memory/cleanup';
    const large = await host.inject({ method: 'POST', url, payload: { target: long } });
    expect(large.json()).toMatchObject({ status: 413, code: 'MEM_BODY_TOO_LARGE' });
    const headers = { 'content-type': 'text/plain' };
    const text = await host.inject({ method: 'POST', url, headers, payload: '{}' });
    expect(text.json()).toMatchObject({ status: 415, code: 'MEM_UNSUPPORTED_MEDIA_TYPE' });
  });

  it('runs the hooks of the application, and adds none to its routes', async () => {
    const host = aHost();
    const seen: string[] = [];
    host.addHook('onRequest', async (request) => {
      seen.push(request.url);
    });
    await register(host);
    host.post('/write', async () => 'written');
    const headers = { host: 'shop.example.org', origin: 'https://elsewhere.example.org' };
    const write = await host.inject({ method: 'POST', url: '/write', headers });
    expect([write.statusCode, write.body]).toEqual([200, 'written']);
    const status = await host.inject({ url: '/internal/memory/status', headers });
    expect(status.json().code).toBe('MEM_FORBIDDEN_HOST');
    expect(seen).toEqual(['/write', '/internal/memory/status']);
  });

  it('lives beside the plugins and schemas that an application may have', async () => {
    const host = aHost();
    await host.register(rateLimit, { max: 1_000 });
    await host.register(swagger, { openapi: { openapi: '3.1.0' } });
    await host.register(async (inner) => {
      await inner.register(bearerAuth, { keys: ['of-the-host'], addHook: false });
    });
    for (const $id of ['Problem', 'Reading', 'Target', 'Rule', 'Status', 'History', 'Health']) {
      host.addSchema({ $id, type: 'object', properties: { mine: { type: 'boolean' } } });
    }
    host.get('/mine', { schema: { response: { 200: { $ref: 'Status#' } } } }, async () => ({
      mine: true,
      more: 1,
    }));
    await register(host, {
      health: true,
      policy: aPolicy('', { env: { MEMWARDEN_TOKEN: 'ours' } }),
    });
    await host.ready();
    expect((await host.inject('/mine')).json()).toEqual({ mine: true });
    const headers = { authorization: 'Bearer ours' };
    const status = await host.inject({ url: '/internal/memory/status', headers });
    expect(status.json().target).toBe('self');
    expect((await host.inject('/internal/memory/status')).statusCode).toBe(401);
    expect(Object.keys(host.swagger().paths ?? {})).toContain('/internal/memory/status');
  });

  it.each([
    ['a target it has not', 'nobody', 'sessions', readOne, 'MEM_UNKNOWN_TARGET', /nobody.*self/],
    ['the host', 'system', 'sessions', readOne, 'MEM_UNKNOWN_TARGET', /system/],
    ['no target', undefined, 'sessions', readOne, 'MEM_UNKNOWN_TARGET', /undefined/],
    ['a name with a dash', 'self', 'chat-sessions', readOne, 'MEM_BAD_REQUEST', /chat-sessions/],
    ['a name that is long', 'self', 'n'.repeat(65), readOne, 'MEM_BAD_REQUEST', /1–64/],
    ['an empty name', 'self', '', readOne, 'MEM_BAD_REQUEST', /1–64/],
    ['no name', 'self', undefined, readOne, 'MEM_BAD_REQUEST', /undefined/],
    ['a number to read', 'self', 'sessions', 1, 'MEM_BAD_REQUEST', /function.*number/],
    ['nothing to read', 'self', 'sessions', undefined, 'MEM_BAD_REQUEST', /function.*undefined/],
  ])('refuses a gauge with %s', async (_what, target, name, read, code, message) => {
    const host = aHost();
    await register(host);
    const add = () => host.memory.addGauge(target as string, name as string, read as () => number);
    expect(add).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(host.memory.read('self').custom).toEqual({});
  });

  it('refuses a push onto a gauge that it reads itself, and takes it once that is gone', async () => {
    const host = aHost();
    await register(host);
    const remove = host.memory.addGauge('self', 'sessions', () => 1);
    const push = () =>
      host.inject({
        method: 'POST',
        url: '/internal/memory/services/self/metrics',
        payload: { sessions: 7 },
      });
    const refused = (await push()).json();
    expect(refused).toMatchObject({ status: 409, code: 'MEM_CONFLICT' });
    expect(refused.detail).toMatch(/"sessions" of self is registered.*another name/);
    expect(host.memory.read('self').custom).toEqual({ sessions: 1 });
    remove();
    expect((await push()).statusCode).toBe(204);
    expect(host.memory.read('self').custom).toEqual({ sessions: 7 });
  });

  const cleaner = {
    name: 'sessions',
    level: 'gentle',
    target: 'self',
    timeoutMs: 1_000,
    plan: () => 'drop sessions',
    run: () => undefined,
  };

  it.each([
    ['nothing', undefined, 'MEM_BAD_REQUEST', /object/],
    ['no name', { ...cleaner, name: undefined }, 'MEM_BAD_REQUEST', /name/],
    ['a level there is not', { ...cleaner, level: 'hard' }, 'MEM_BAD_REQUEST', /emergency/],
    ['nothing to run', { ...cleaner, run: undefined }, 'MEM_BAD_REQUEST', /run.*function/],
    ['no plan', { ...cleaner, plan: undefined }, 'MEM_BAD_REQUEST', /plan.*function/],
    ['no time-out', { ...cleaner, timeoutMs: undefined }, 'MEM_BAD_REQUEST', /timeoutMs/],
    ['a target it has not', { ...cleaner, target: 'shop' }, 'MEM_UNKNOWN_TARGET', /shop.*self/],
  ])('refuses a cleaner with %s', async (_what, odd, code, message) => {
    const host = aHost();
    await register(host);
    const before = host.memory.cleanup.scores();
    expect(() => host.memory.addCleaner(odd as Cleaner)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
    expect(host.memory.cleanup.scores()).toEqual(before);
  });

  it('takes a gauge in the place of one of that name', async () => {
    const host = aHost();
    await register(host);
    const removeFirst = host.memory.addGauge('self', 'sessions', () => 1);
    host.memory.addGauge('self', 'sessions', () => 2);
    expect(host.memory.read('self').custom).toEqual({ sessions: 2 });
    removeFirst();
    expect(host.memory.read('self').custom).toEqual({ sessions: 2 });
  });

  it('refuses a gauge that history has no room for', async () => {
    const host = aHost();
    await register(host);
    expect(() => {
      for (let i = 0; ; i++) host.memory.history.column(`other/${i}`);
    }).toThrow(RangeError);
    expect(() => host.memory.addGauge('self', 'sessions', () => 1)).toThrow(
      expect.objectContaining({ code: 'MEM_TOO_MANY_SERIES' }),
    );
  });

  it('samples between ready and close, and closes after what depends on it', async () => {
    const dataDir = aDataDir();
    const order: string[] = [];
    const host = aHost();
    host.addHook('onClose', async () => {
      order.push('registered before');
      expect(host.memory.lastSampleMs).toBeGreaterThan(0);
    });
    await register(host, { policy: aPolicy('', { dataDir }) });
    host.addHook('onClose', async () => {
      order.push('registered after');
      host.memory.tick();
    });
    expect(host.memory.lastSampleMs).toBeNaN();
    await host.ready();
    const firstMs = host.memory.lastSampleMs;
    expect(firstMs).toBeGreaterThan(0);
    await host.close();
    hosts.delete(host);
    expect(order).toEqual(['registered after', 'registered before']);
    const later = await anApp('', { dataDir });
    expect(later.memory.history.firstMs).toBe(firstMs);
    await expect(later.memory.cleanup.run({ level: 'gentle', reason: 'x' })).resolves.toBeDefined();
    await end(later);
    await expect(later.memory.cleanup.run({ level: 'gentle', reason: 'x' })).rejects.toMatchObject({
      code: 'MEM_NOT_READY',
    });
  });

  it('refuses to be registered twice, and lets go of what the second one took', async () => {
    const [first, second] = [aDataDir(), aDataDir()];
    const host = aHost();
    await register(host, { policy: aPolicy('', { dataDir: first }) });
    await expect(register(host, { policy: aPolicy('', { dataDir: second }) })).rejects.toThrow(
      /memory/,
    );
    await host.close();
    hosts.delete(host);
    for (const dataDir of [first, second]) await end(await anApp('', { dataDir }));
  });

  it('does not start with a bad policy', async () => {
    const reloadPolicy = () => parsePolicy('samplng: 1');
    const host = aHost();
    await expect(host.register(memwarden, { reloadPolicy })).rejects.toMatchObject({
      code: 'MEM_POLICY_INVALID',
      message: expect.stringContaining('samplng'),
    });
  });

  it('can be closed before it was ready', async () => {
    const dataDir = aDataDir();
    const host = aHost();
    await register(host, { policy: aPolicy('', { dataDir }) });
    await host.close();
    hosts.delete(host);
    await end(await anApp('', { dataDir }));
  });
});

describe('two in one process', () => {
  it('keep to themselves on two data directories', async () => {
    const [one, two] = [await anApp(), await anApp()];
    one.memory.addGauge('self', 'only_here', () => 1);
    for (const app of [one, two]) app.memory.tick();
    expect((await one.inject('/metrics')).body).toContain('only_here');
    expect((await two.inject('/metrics')).body).not.toContain('only_here');
    await end(one);
    two.memory.tick();
    expect((await two.inject('/health/ready')).statusCode).toBe(200);
  });

  it('cannot share one', async () => {
    const dataDir = aDataDir();
    const app = await anApp('', { dataDir });
    await expect(anApp('', { dataDir })).rejects.toMatchObject({
      code: 'MEM_CONFLICT',
      message: expect.stringContaining(`${process.pid}`),
    });
    app.memory.tick();
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
    await end(app);
    await end(await anApp('', { dataDir }));
  });

  it('leave no descriptor and no listener behind', async () => {
    const before = kernelFiles();
    const app = await anApp();
    expect(kernelFiles().length).toBeGreaterThan(before.length);
    await end(app);
    expect(kernelFiles()).toEqual(before);
    for (const event of ['sample', 'alert', 'action', 'target', 'policy'] as const) {
      expect([event, app.memory.events.listenerCount(event)]).toEqual([event, 0]);
    }
  });
});

/** The files of /proc and /sys that this process holds open; those of SQLite wait for the collector. */
function kernelFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        // the descriptor of the listing itself
        return [];
      }
    })
    .filter((path) => /^\/(proc|sys)\//.test(path) && !path.endsWith('/fd'))
    .sort();
}
