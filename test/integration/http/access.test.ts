import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);

const TOKEN = 'correct-horse-battery-staple';
const withToken = (yaml = '') => anApp(yaml, { env: { MEMWARDEN_TOKEN: TOKEN } });

const PROTECTED: InjectOptions[] = [
  { url: '/internal/memory/status' },
  { url: '/internal/memory/metrics' },
  { url: '/internal/memory/history' },
  { url: '/internal/memory/stream' },
  { url: '/internal/memory/alerts' },
  { url: '/internal/memory/targets' },
  { url: '/internal/memory/targets/self' },
  { url: '/sd/prometheus' },
  { url: '/openapi.json' },
  { url: '/docs' },
  { url: '/docs/json' },
  { url: '/docs/static/index.html' },
  { method: 'POST', url: '/internal/memory/cleanup' },
  { method: 'POST', url: '/cleanup' },
  { method: 'POST', url: '/internal/memory/policy/reload' },
  { method: 'PUT', url: '/internal/memory/services/shop', payload: { pid: 1 } },
  { method: 'DELETE', url: '/internal/memory/services/shop' },
  { method: 'POST', url: '/internal/memory/services/self/metrics', payload: { a: 1 } },
];

describe('with a token', () => {
  it.each(PROTECTED)('$method $url asks for it', async (call) => {
    const app = await withToken();
    const wrong = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Basic ${TOKEN}`,
      TOKEN,
    ];
    for (const authorization of wrong) {
      const response = await app.inject({
        ...call,
        headers: authorization === undefined ? {} : { authorization },
      });
      expect([authorization, response.statusCode]).toEqual([authorization, 401]);
      expect(response.json()).toMatchObject({ status: 401, code: 'MEM_UNAUTHORIZED' });
      expect(response.headers['content-type']).toContain('application/problem+json');
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(response.body).not.toContain(TOKEN);
    }
  });

  it('opens to the token, from any host and any peer', async () => {
    const app = await withToken();
    const response = await app.inject({
      url: '/internal/memory/status',
      remoteAddress: '203.0.113.7',
      headers: { authorization: `Bearer ${TOKEN}`, host: 'warden.example.org' },
    });
    expect(response.statusCode).toBe(200);
    const written = await app.inject({
      method: 'POST',
      url: '/cleanup',
      headers: { authorization: `Bearer ${TOKEN}` },
      payload: { level: 'gentle' },
    });
    expect(written.statusCode).toBe(200);
  });

  it.each(['bearer', 'BEARER', 'bEaReR'])('takes the scheme as %s', async (scheme) => {
    const app = await withToken();
    const status = async (token: string) => {
      const headers = { authorization: `${scheme} ${token}` };
      return (await app.inject({ url: '/internal/memory/targets', headers })).statusCode;
    };
    expect(await status(TOKEN)).toBe(200);
    expect(await status(TOKEN.toUpperCase())).toBe(401);
  });

  it('leaves health open, and /metrics unless it is to be protected', async () => {
    const app = await withToken();
    for (const url of ['/health/live', '/health/ready', '/metrics', '/']) {
      const response = await app.inject({ url, remoteAddress: '203.0.113.7' });
      expect([url, response.statusCode]).toEqual([url, 200]);
    }
    const closed = await withToken('server: { protect_metrics: true }');
    expect((await closed.inject('/metrics')).statusCode).toBe(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await closed.inject({ url: '/metrics', headers })).statusCode).toBe(200);
    expect((await closed.inject('/health/live')).statusCode).toBe(200);
  });
});

describe('without a token', () => {
  const get = (app: FastifyInstance, over: InjectOptions) =>
    app.inject({ url: '/internal/memory/targets', ...over });

  it.each(['localhost', 'LOCALHOST:8181', '127.0.0.1:8181', '[::1]:8181', '127.8.9.10'])(
    'serves the host %s',
    async (host) => {
      const app = await anApp();
      expect((await get(app, { headers: { host } })).statusCode).toBe(200);
    },
  );

  it.each([
    'evil.example.org',
    'localhost.evil.example.org',
    '127.0.0.1.evil.example.org',
    'localhost@evil.example.org',
    '10.0.0.1:8181',
    '[::1].evil.org',
    '0.0.0.0:8181',
  ])('refuses the host %s', async (host) => {
    const app = await anApp();
    for (const url of ['/internal/memory/targets', '/metrics', '/docs', '/openapi.json']) {
      const response = await get(app, { url, headers: { host } });
      expect([url, response.json().code]).toEqual([url, 'MEM_FORBIDDEN_HOST']);
      expect(response.statusCode).toBe(403);
    }
  });

  it('serves a host that the policy allows', async () => {
    const app = await anApp('server: { allowed_hosts: [Warden.internal] }');
    expect((await get(app, { headers: { host: 'warden.internal:80' } })).statusCode).toBe(200);
  });

  it('refuses another machine', async () => {
    const app = await anApp();
    for (const remoteAddress of ['203.0.113.7', '::ffff:10.0.0.1', '2001:db8::1']) {
      const response = await get(app, { remoteAddress });
      expect(response.json()).toMatchObject({ status: 403, code: 'MEM_FORBIDDEN_HOST' });
    }
    for (const remoteAddress of ['::1', '::ffff:127.0.0.1', '127.0.0.2']) {
      expect((await get(app, { remoteAddress })).statusCode).toBe(200);
    }
    const health = await get(app, { url: '/health/live', remoteAddress: '203.0.113.7' });
    expect(health.statusCode).toBe(200);
  });

  it('does not believe a forwarded address', async () => {
    const app = await anApp();
    const headers = { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'localhost' };
    const response = await get(app, { remoteAddress: '203.0.113.7', headers });
    expect(response.statusCode).toBe(403);
  });

  it.each([
    { origin: 'https://evil.example.org' },
    { origin: 'null' },
    { origin: 'http://localhost:3000' },
    { origin: 'http://127.0.0.1:80' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('refuses a write with %j', async (headers) => {
    const app = await anApp();
    const response = await app.inject({ method: 'POST', url: '/cleanup', headers });
    expect(response.json()).toMatchObject({ status: 403, code: 'MEM_FORBIDDEN_ORIGIN' });
    expect((await get(app, { headers })).statusCode).toBe(200);
  });

  it.each([
    {},
    { origin: 'http://localhost:8181' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ])('lets a write with %j through', async (headers) => {
    const app = await anApp();
    const response = await app.inject({
      method: 'POST',
      url: '/cleanup',
      headers: { host: 'localhost:8181', ...headers },
      payload: { level: 'gentle' },
    });
    expect(response.statusCode).toBe(200);
  });
});
