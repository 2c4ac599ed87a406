import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { hostName, useGuard } from '../../../src/http/guard.ts';
import { useProblems } from '../../../src/http/problem.ts';
import { isLoopback } from '../../../src/policy/url.ts';

describe('host names', () => {
  it.each([
    ['127.0.0.1:8181', '127.0.0.1'],
    ['LOCALHOST', 'localhost'],
    ['[::1]:8181', '[::1]'],
    ['[::1]', '[::1]'],
    ['example.com:80', 'example.com'],
    [undefined, ''],
  ])('%s is %s', (header, name) => expect(hostName(header)).toBe(name));

  it.each(['127.0.0.1', '127.8.9.1', 'localhost', '::1', '[::1]'])('%s is loopback', (name) =>
    expect(isLoopback(name)).toBe(true),
  );
  it.each(['127.0.0.1.evil.com', '10.0.0.1', 'localhost.evil.com', '', '172.17.0.2', '127.evil'])(
    '%s is not',
    (name) => expect(isLoopback(name)).toBe(false),
  );
});

async function ask(options: {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  remoteAddress?: string;
}) {
  const app = Fastify();
  useProblems(app);
  useGuard(app, { allowedHosts: ['warden.internal'] });
  app.all('/', async () => 'in');
  const answer = await app.inject({
    method: 'GET',
    url: '/',
    ...options,
    headers: { host: 'localhost:8181', ...options.headers },
  });
  await app.close();
  return answer.statusCode === 200 ? 'in' : (answer.json().code as string);
}

describe('guard', () => {
  it('lets this machine read and write', async () => {
    expect(await ask({})).toBe('in');
    expect(await ask({ method: 'POST' })).toBe('in');
    expect(await ask({ headers: { host: 'warden.internal:8181' } })).toBe('in');
    expect(await ask({ remoteAddress: '::ffff:127.0.0.1' })).toBe('in');
  });

  it('refuses a name that was rebound to us', async () => {
    expect(await ask({ headers: { host: 'evil.example:8181' } })).toBe('MEM_FORBIDDEN_HOST');
  });

  it('refuses another machine, whatever it calls us', async () => {
    expect(await ask({ remoteAddress: '172.17.0.2' })).toBe('MEM_FORBIDDEN_HOST');
  });

  it('refuses a write from another page, and lets our own page write', async () => {
    const post = (headers: Record<string, string>) => ask({ method: 'POST', headers });
    expect(await post({ origin: 'https://evil.example' })).toBe('MEM_FORBIDDEN_ORIGIN');
    expect(await post({ origin: 'null' })).toBe('MEM_FORBIDDEN_ORIGIN');
    expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe('MEM_FORBIDDEN_ORIGIN');
    expect(await post({ origin: 'http://localhost:8181' })).toBe('in');
    expect(await ask({ headers: { origin: 'https://evil.example' } })).toBe('in');
  });
});
