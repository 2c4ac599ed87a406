import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { aService, endServices } from '../a-service.ts';
import { aSignal } from '../a-signal.ts';
import { anApp, end, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);

interface Event {
  readonly event: string;
  readonly id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any event
  readonly data: any;
}

interface Stream {
  readonly response: IncomingMessage;
  /** The next event of that kind; those before it are passed over. */
  next(kind: string): Promise<Event>;
  readonly ended: Promise<unknown>;
  close(): void;
}

async function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 });
}

const fieldOf = (frame: string, name: string): string | null =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? null;

async function* eventsOf(response: IncomingMessage): AsyncGenerator<Event> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const event = fieldOf(frame, 'event');
      if (event === null) continue;
      yield { event, id: fieldOf(frame, 'id'), data: JSON.parse(fieldOf(frame, 'data') ?? '') };
    }
  }
}

async function open(address: string, headers: Record<string, string> = {}): Promise<Stream> {
  const call = get(`${address}/internal/memory/stream`, { headers });
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const events = eventsOf(response);
  const ended = aSignal();
  // a stream that the test closes is told of as an error
  response.on('error', () => {}).on('close', ended.resolve);
  return {
    response,
    ended: ended.promise,
    async next(kind) {
      for (;;) {
        const { value, done } = await events.next();
        if (done) throw new Error(`the stream ended before an event "${kind}"`);
        if (value.event === kind) return value;
      }
    },
    close: () => call.destroy(),
  };
}

const clean = (app: FastifyInstance) =>
  app.inject({ method: 'POST', url: '/cleanup', payload: { level: 'gentle' } });

describe('GET /internal/memory/stream', () => {
  it('sends samples as they are taken', async () => {
    const app = await anApp();
    const stream = await open(await listen(app));
    expect(stream.response.statusCode).toBe(200);
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    app.memory.tick();
    const sample = await stream.next('sample');
    expect(sample.id).toBeNull();
    expect(sample.data).toMatchObject({ status: 'ok', targets: [{ name: 'self' }] });
    expect(Date.parse(sample.data.timestamp)).toBe(app.memory.lastSampleMs);
    stream.close();
  });

  it('sends alerts, actions and targets, each with an id that rises', async () => {
    const service = await aService();
    const app = await anApp(`
thresholds: [{ name: Big, metric_key: process_memory_mb, threshold_value: 150, target: api }]
targets: [{ name: api, match: { pid: ${service.pid} } }]
`);
    const stream = await open(await listen(app));
    await service.hold(200);
    app.memory.tick();
    const alert = await stream.next('alert');
    expect(alert.data).toMatchObject({ event: 'fired', name: 'Big', state: 'firing' });
    expect(alert.data.message).toContain('Big');
    await clean(app);
    const action = await stream.next('action');
    expect(action.data).toMatchObject({ level: 'gentle', dry_run: false });
    await service.end();
    app.memory.tick();
    const target = await stream.next('target');
    expect(target.data).toMatchObject({ kind: 'gone', target: 'api' });
    const ids = [alert.id, action.id, target.id].map(Number);
    // more than nine, of which the tenth is the smaller one as text
    for (let i = 0; i < 12; i++) {
      await clean(app);
      ids.push(Number((await stream.next('action')).id));
    }
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(15);
    expect(ids.at(-1)).toBeGreaterThan(9);
    stream.close();
  });

  it('resumes after the last event that was seen', async () => {
    const app = await anApp();
    const address = await listen(app);
    const first = await open(address);
    await clean(app);
    const seen = await first.next('action');
    first.close();
    const missed = (await clean(app)).json();
    const again = await open(address, { 'last-event-id': seen.id as string });
    expect((await again.next('action')).data.id).toBe(missed.id);
    again.close();
    for (const nonsense of ['nonsense', '', '99999999999999999999']) {
      const fresh = await open(address, { 'last-event-id': nonsense });
      const next = (await clean(app)).json();
      expect((await fresh.next('action')).data.id).toBe(next.id);
      fresh.close();
    }
  });

  it('keeps for that no more than a client can take at once', async () => {
    const app = await anApp();
    const address = await listen(app);
    const large = await app.memory.cleanup.run({ level: 'gentle', reason: 'x'.repeat(20_000) });
    for (let i = 0; i < 500; i++) app.memory.events.emit('action', { ...large, id: String(i) });
    const stream = await open(address, { 'last-event-id': '1' });
    const replayed: number[] = [];
    while (replayed.at(-1) !== 499) replayed.push(Number((await stream.next('action')).data.id));
    expect(replayed.length).toBeGreaterThan(5);
    expect(replayed.length).toBeLessThan(15);
    expect(replayed).toEqual([...replayed].sort((a, b) => a - b));
    stream.close();
  });

  it('refuses the 65th, and serves again when one has gone', async () => {
    const app = await anApp();
    const address = await listen(app);
    const streams = await Promise.all(Array.from({ length: 64 }, () => open(address)));
    const refused = await fetch(`${address}/internal/memory/stream`);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'MEM_TOO_MANY_REQUESTS' });
    for (const stream of streams) stream.close();
    await Promise.all(streams.map((stream) => stream.ended));
    // the server hears of it on its next turn
    let status = 429;
    while (status === 429) {
      const call = get(`${address}/internal/memory/stream`);
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      status = response.statusCode ?? 0;
      call.destroy();
    }
    expect(status).toBe(200);
  });

  it('lets go of a client that reads nothing, and the others hear everything', async () => {
    const app = await anApp();
    const address = await listen(app);
    const stuck = connect(Number(new URL(address).port), '127.0.0.1');
    stuck.on('error', () => {});
    await once(stuck, 'connect');
    stuck.write('GET /internal/memory/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(stuck, 'readable');
    const reader = await open(address);
    const run = await app.memory.cleanup.run({ level: 'gentle', reason: 'x'.repeat(100_000) });
    await reader.next('action');
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) => {
        app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      });
    let sent = 0;
    while ((await connections()) > 1) {
      app.memory.events.emit('action', run);
      sent++;
      expect((await reader.next('action')).data.id).toBe(run.id);
      expect(sent).toBeLessThan(2_000);
    }
    expect(sent).toBeGreaterThan(10);
    reader.close();
    stuck.destroy();
  });

  it('ends with the service, at once', async () => {
    const app = await anApp();
    const stream = await open(await listen(app));
    stream.response.resume();
    await Promise.all([stream.ended, end(app)]);
    expect(stream.response.complete).toBe(true);
    expect(app.memory.events.listenerCount('sample')).toBe(0);
  });

  it('is not held open by a client that asks for the head only', async () => {
    const app = await anApp();
    const response = await fetch(`${await listen(app)}/internal/memory/stream`, { method: 'HEAD' });
    expect(response.status).toBe(405);
  });
});
