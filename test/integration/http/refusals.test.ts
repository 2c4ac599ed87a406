import { request } from 'node:http';
import { connect } from 'node:net';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);

const write = (app: FastifyInstance, payload: string | Buffer, type = 'application/json') =>
  app.inject({ method: 'POST', url: '/cleanup', headers: { 'content-type': type }, payload });

/** Every refusal has this shape, and tells nothing of where or how it runs. */
function expectProblem(
  response: { statusCode: number; headers: object; body: string },
  status: number,
  code: string,
): void {
  const problem = JSON.parse(response.body);
  expect(problem).toMatchObject({ type: 'about:blank', status, code });
  expect(response.statusCode).toBe(status);
  expect(response.headers).toMatchObject({
    'content-type': expect.stringContaining('application/problem+json'),
  });
  expect(problem.detail).not.toBe('');
  expect(response.body).not.toMatch(/node_modules|\.ts\b|\bat .*:\d+:\d+/);
}

describe('a body', () => {
  it('may have 64 KiB and not more', async () => {
    const app = await anApp();
    const fits = JSON.stringify({ level: 'gentle' }).padEnd(64 * 1024);
    expect((await write(app, fits)).statusCode).toBe(200);
    expectProblem(await write(app, `${fits} `), 413, 'MEM_BODY_TOO_LARGE');
  });

  it('of 10 MB is refused before it was read', async () => {
    const app = await anApp();
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(`${address}/cleanup`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      call.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
        call.destroy();
      });
      call.on('error', reject);
      call.end(Buffer.alloc(10_000_000, 32));
    });
    expect(status).toBe(413);
    expect((await app.inject('/health/live')).statusCode).toBe(200);
  });

  it.each([
    'text/plain',
    'text/plain; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'nonsense',
  ])('of type %s is refused', async (type) => {
    const app = await anApp();
    expectProblem(await write(app, '{"level":"gentle"}', type), 415, 'MEM_UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([
    '{"level":',
    'gentle',
    '\u0000',
    '{"__proto__":{"level":"gentle"}}',
    '{"constructor":{"prototype":{"dry_run":true}}}',
    '{"level":"gentle","level2":1}',
    '[[[[[]]]]]',
    '1',
    '"gentle"',
    'true',
  ])('%s is refused', async (payload) => {
    const app = await anApp();
    expectProblem(await write(app, payload), 400, 'MEM_BAD_REQUEST');
    expect(({} as Record<string, unknown>).level).toBeUndefined();
  });

  it.each([
    ['/cleanup', '{"level":3}', 'body/level', 'one of gentle, aggressive, emergency, got 3'],
    [
      '/cleanup',
      '{"level":"hard"}',
      'body/level',
      'one of gentle, aggressive, emergency, got "hard"',
    ],
    ['/cleanup', '{"dry_run":"yes"}', 'body/dry_run', 'true or false, got "yes"'],
    ['/cleanup', '{"target":1}', 'body/target', 'a text, got 1'],
    ['/cleanup', '[]', 'body', 'an object, got []'],
    ['/services/self/metrics', '{"a":"1"}', 'body/a', 'a number, got "1"'],
    ['/services/self/metrics', '{"a":[1]}', 'body/a', 'a number, got [1]'],
  ])('to %s of %s says what was expected', async (path, payload, pointer, expected) => {
    const app = await anApp();
    const headers = { 'content-type': 'application/json' };
    const url = `/internal/memory${path}`;
    const response = await app.inject({ method: 'POST', url, headers, payload });
    expect(response.json().errors).toEqual([{ pointer, detail: `expected ${expected}` }]);
  });

  it('is told what was wrong with each of its keys', async () => {
    const app = await anApp();
    const response = await write(app, '{"level":1,"dry_run":"yes"}');
    const pointers = response.json().errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(['body/level', 'body/dry_run']));
  });
});

describe('a path', () => {
  it.each([
    ['GET', '/nothing'],
    ['GET', '/internal/memory'],
    ['GET', '/internal/memory/nothing'],
    ['PUT', '/internal/memory/nothing'],
    ['DELETE', '/internal/memory/targets/self/nothing'],
    ['OPTIONS', '/nothing'],
    ['GET', '/internal/memory/../../etc/passwd'],
    ['GET', '/docs/static/..%2f..%2f..%2fpackage.json'],
  ] as const)('%s %s is not there', async (method, url) => {
    const app = await anApp();
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toContain('application/problem+json');
  });

  it.each(['/internal/memory/targets/%E0%A4%A', `/internal/memory/targets/${'x'.repeat(200)}`])(
    '%s that cannot be read is a problem as well',
    async (url) => {
      const app = await anApp();
      const response = await app.inject(url);
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      expectProblem(response, response.statusCode, response.json().code);
      expect(response.json().code).toMatch(/^MEM_/);
    },
  );
});

describe('a method', () => {
  const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
  const READ = 'GET, HEAD';

  it.each([
    ['/', READ],
    ['/health/live', READ],
    ['/health/ready', READ],
    ['/metrics', READ],
    ['/sd/prometheus', READ],
    ['/openapi.json', READ],
    ['/docs', READ],
    ['/docs/json', READ],
    ['/docs/static/index.html', READ],
    ['/cleanup', 'POST'],
    ['/internal/memory/status', READ],
    ['/internal/memory/metrics', READ],
    ['/internal/memory/history', READ],
    ['/internal/memory/stream', 'GET'],
    ['/internal/memory/alerts', READ],
    ['/internal/memory/host', READ],
    ['/internal/memory/targets', READ],
    ['/internal/memory/targets/self', READ],
    ['/internal/memory/targets/', READ],
    ['/internal/memory/cleanup', 'POST'],
    ['/internal/memory/policy/reload', 'POST'],
    ['/internal/memory/services/shop', 'DELETE, PUT'],
    ['/internal/memory/services/self/metrics', 'POST'],
    ['/internal/memory/%73tatus?target=self', READ],
  ])('that %s has not is answered with those it has: %s', async (url, allow) => {
    const app = await anApp();
    for (const method of METHODS.filter((each) => !allow.split(', ').includes(each))) {
      const response = await app.inject({ method: method as 'GET', url });
      expect([method, response.statusCode, response.headers.allow]).toEqual([method, 405, allow]);
      if (method !== 'HEAD') expectProblem(response, 405, 'MEM_METHOD_NOT_ALLOWED');
    }
  });

  it('is judged before the body, and behind no token', async () => {
    const app = await anApp('', { env: { MEMWARDEN_TOKEN: 'secret' } });
    for (const type of ['application/json', 'application/xml']) {
      const response = await app.inject({
        method: 'PUT',
        url: '/internal/memory/status',
        headers: { 'content-type': type },
        payload: '{"open":',
      });
      expectProblem(response, 405, 'MEM_METHOD_NOT_ALLOWED');
    }
  });

  it('is covered here for every path that is documented', async () => {
    const app = await anApp();
    for (const [url, operations] of Object.entries(app.swagger().paths ?? {})) {
      const methods = Object.keys(operations ?? {}).map((method) => method.toUpperCase());
      const response = await app.inject({ method: 'PATCH', url: url.replace('{name}', 'self') });
      expect([url, response.statusCode]).toEqual([url, 405]);
      expect(String(response.headers.allow).split(', ')).toEqual(expect.arrayContaining(methods));
    }
  });
});

describe('writes', () => {
  it('are limited to 100 a minute for each client, whatever they are; reads are not', async () => {
    const app = await anApp();
    const kinds = [
      { method: 'POST', url: '/cleanup', payload: { level: 'gentle', dry_run: true } },
      { method: 'POST', url: '/internal/memory/cleanup', payload: { level: 'gentle' } },
      { method: 'POST', url: '/internal/memory/policy/reload' },
      { method: 'DELETE', url: '/internal/memory/services/nobody' },
    ] as const;
    for (let i = 0; i < 100; i++) {
      const response = await app.inject(kinds[i % kinds.length] as InjectOptions);
      expect([i, response.statusCode]).not.toEqual([i, 429]);
    }
    for (const kind of kinds) {
      const refused = await app.inject(kind);
      expectProblem(refused, 429, 'MEM_TOO_MANY_REQUESTS');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    const other = await app.inject({ ...kinds[0], remoteAddress: '127.0.0.2' });
    expect(other.statusCode).toBe(200);
    for (let i = 0; i < 110; i++) {
      expect((await app.inject('/internal/memory/status')).statusCode).toBe(200);
    }
  });

  it('of gauges have a limit of their own, 6,000 a minute', async () => {
    const app = await anApp();
    const push = () =>
      app.inject({
        method: 'POST',
        url: '/internal/memory/services/self/metrics',
        payload: { sessions: 1 },
      });
    for (let i = 0; i < 6_000; i++) {
      const response = await push();
      if (response.statusCode !== 204) throw new Error(`push ${i + 1}: ${response.body}`);
    }
    const refused = await push();
    expectProblem(refused, 429, 'MEM_TOO_MANY_REQUESTS');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await write(app, '{"level":"gentle"}')).statusCode).toBe(200);
  });
});

describe('what is no request', () => {
  /** All that comes back for these bytes. */
  const answerTo = async (text: string): Promise<string> => {
    const app = await anApp();
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(text);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer;
  };

  it.each([
    ['nonsense', 'NONSENSE\r\n\r\n', 400],
    ['a header of 100 KB', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 431],
  ])('is a problem: %s', async (_what, text, status) => {
    const answer = await answerTo(text);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code: 'MEM_BAD_REQUEST' });
  });

  it('has its path cut in the answer', async () => {
    const app = await anApp();
    const response = await app.inject(`/${'a'.repeat(9_000)}`);
    expect(response.json()).toMatchObject({ status: 404, code: 'MEM_NOT_FOUND' });
    expect(response.body.length).toBeLessThan(500);
  });

  it('is a cleanup of the host, which has nothing to clean', async () => {
    const app = await anApp();
    const response = await write(app, '{"target":"system"}');
    expectProblem(response, 400, 'MEM_BAD_REQUEST');
    expect(response.json().detail).toContain('Leave target out');
  });
});
