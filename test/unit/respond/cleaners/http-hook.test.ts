import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createHttpHookCleaner,
  type HttpHookOptions,
} from '../../../../src/respond/cleaners/http-hook.ts';
import { aCleanup } from '../a-cleanup.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const COMMON = { name: 'trim', target: 'api', level: 'gentle', timeoutMs: 2_000 } as const;
const hook = (url: string, over: Partial<HttpHookOptions> = {}) =>
  createHttpHookCleaner({ ...COMMON, url, ...over });

/** A real server that answers as told; the URL of its hook. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/trim?token=secret`;
}

/** Runs the hook as a cleanup does. */
async function row(url: string, over: Partial<HttpHookOptions> = {}) {
  const { cleanup, log } = aCleanup();
  cleanup.register(hook(url, over));
  const { results } = await cleanup.run({ level: 'aggressive', reason: 'rule X' });
  expect(JSON.stringify([results, log.lines])).not.toContain('secret');
  return results[0];
}

const say =
  (status: number, body = '') =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status).end(body);
  };

describe('http hook', () => {
  it('posts level and reason, query string included, and takes the figures', async () => {
    let got: unknown;
    const url = await serve(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      got = [request.method, request.url, request.headers['content-type'], JSON.parse(body)];
      response.end('{"freed_bytes": 1048576, "items": 3}');
    });
    expect(await row(url)).toMatchObject({
      outcome: 'ok',
      freedBytes: 1_048_576,
      items: 3,
      error: null,
    });
    expect(got).toEqual([
      'POST',
      '/trim?token=secret',
      'application/json',
      { level: 'aggressive', reason: 'rule X' },
    ]);
  });

  it.each([
    [204, ''],
    [200, 'OK'],
    [200, 'null'],
    [200, '[1,2]'],
    [200, '{"other": 1}'],
    [200, `{"freed_bytes": 1, "pad": "${'x'.repeat(70_000)}"}`],
  ])('is content with %d and a body without figures (%#)', async (status, body) => {
    expect(await row(await serve(say(status, body)))).toMatchObject({
      outcome: 'ok',
      freedBytes: null,
      items: null,
      error: null,
    });
  });

  it('notes figures that make no sense', async () => {
    const url = await serve(say(200, '{"freed_bytes": "lots", "items": -1}'));
    expect(await row(url)).toMatchObject({
      outcome: 'ok',
      freedBytes: null,
      error: 'its freedBytes was ignored: string lots; its items was ignored: number -1',
    });
  });

  it.each([400, 404, 500, 503])('fails on %d, naming it', async (status) => {
    const url = await serve(say(status, 'x'.repeat(1_000)));
    expect(await row(url)).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(
        new RegExp(`^POST http://127.0.0.1:\\d+/trim answered ${status}$`),
      ),
    });
  });

  it('does not follow a redirect', async () => {
    let followed = false;
    const elsewhere = await serve((_, response) => {
      followed = true;
      response.end();
    });
    const url = await serve((_, response) => {
      response.writeHead(307, { location: elsewhere }).end();
    });
    expect(await row(url)).toMatchObject({
      outcome: 'failed',
      error: expect.stringContaining('redirect'),
    });
    expect(followed).toBe(false);
  });

  it.each([
    ['never answers', () => {}],
    ['never ends its body', (_: unknown, response: ServerResponse) => void response.write('{')],
    [
      'drips',
      (_: unknown, response: ServerResponse) => {
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('times out when the server %s, and lets the connection go', async (_, answer) => {
    let closed: Promise<unknown> = Promise.resolve();
    const url = await serve((request, response) => {
      // The client lets go with a reset or in good order: either is a close.
      closed = new Promise((resolve) => request.socket.once('close', resolve));
      answer(request, response);
    });
    expect(await row(url, { timeoutMs: 100 })).toMatchObject({ outcome: 'timed_out' });
    await closed;
  });

  it.each([
    ['closes at once', (socket: Socket) => socket.destroy()],
    ['answers nonsense', (socket: Socket) => socket.end("ceci n'est pas HTTP\r\n\r\n")],
    [
      'closes early',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{'),
    ],
  ])('fails when the server %s', async (_, answer) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => answer(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    expect(await row(`http://127.0.0.1:${port}/`)).toMatchObject({ outcome: 'failed' });
  });

  it('fails when nobody listens, with the reason', async () => {
    const url = await serve(say(200));
    await closers.pop()?.();
    expect(await row(url)).toMatchObject({
      error: expect.stringMatching(/^POST .*: ECONNREFUSED$/),
    });
  });

  it('plans without its query string, and without calling', async () => {
    let calls = 0;
    const url = await serve(() => calls++);
    expect(hook(url, { method: 'PUT' }).plan()).toMatch(
      /^call PUT http:\/\/127\.0\.0\.1:\d+\/trim$/,
    );
    expect(calls).toBe(0);
  });

  it.each([
    'http://127.0.0.1:1/',
    'http://localhost/',
    'https://[::1]/',
    'http://127.9.9.9/',
    'http://2130706433/',
  ])('takes the loopback %s', (url) => {
    expect(hook(url).name).toBe('trim');
  });

  it.each([
    'http://example.com/',
    'http://127.0.0.1.example.com/',
    'http://10.0.0.1/',
    'http://localhost.evil/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'http://user:secret@127.0.0.1/',
    'nonsense',
    '',
  ])('refuses %j', (url) => {
    const error = expect.objectContaining({
      code: 'MEM_POLICY_INVALID',
      message: expect.not.stringContaining('secret'),
    });
    expect(() => hook(url)).toThrow(error);
  });
});
