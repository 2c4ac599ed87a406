import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { aCleaner } from '../../unit/respond/a-cleanup.ts';
import { aHook, endHooks, type Hook } from '../a-hook.ts';
import { aLog } from '../a-log.ts';
import { aService, endServices } from '../a-service.ts';
import { aSignal } from '../a-signal.ts';
import { anApp, end, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endHooks);
afterEach(endServices);

const CLEANUP = '/internal/memory/cleanup';

const clean = (app: FastifyInstance, payload?: object, url = CLEANUP) =>
  app.inject({ method: 'POST', url, ...(payload ? { payload } : {}) });

/** A service with one gentle HTTP cleaner for each hook. */
async function withHooks(hooks: Record<string, Hook>, logger?: Logger): Promise<FastifyInstance> {
  const { pid } = await aService();
  const cleaners = Object.entries(hooks).map(
    ([name, { url }]) =>
      `      - { name: ${name}, level: gentle, http: { url: "${url}", timeout: 300ms } }`,
  );
  return anApp(
    `
targets:
  - name: api
    match: { pid: ${pid} }
    cleaners:
${cleaners.join('\n')}
`,
    { logger },
  );
}

interface Row {
  cleaner: string;
  outcome: string;
  error: string | null;
  freed_bytes: number | null;
  items: number | null;
  plan: string | null;
}

const rowsOf = (body: { results: Row[] }): Record<string, Row> =>
  Object.fromEntries(body.results.map((row) => [row.cleaner, row]));

describe('POST /internal/memory/cleanup', () => {
  it('runs everything when it is sent nothing', async () => {
    const app = await anApp();
    const response = await clean(app);
    expect(response.statusCode).toBe(200);
    const run = response.json();
    expect(run).toMatchObject({ level: 'emergency', dry_run: false });
    expect(run.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(run.started_at).toMatch(/Z$/);
    expect(run.before.process.pid).toBe(process.pid);
    expect(run.after.process.pid).toBe(process.pid);
    const { gc } = rowsOf(run);
    expect(gc).toMatchObject({ target: 'self', error: null, plan: null });
  });

  it.each([
    ['an empty JSON body', { 'content-type': 'application/json' }, ''],
    ['an empty object', { 'content-type': 'application/json' }, '{}'],
    ['null', { 'content-type': 'application/json' }, 'null'],
    ['a charset', { 'content-type': 'application/json; charset=utf-8' }, '{}'],
  ])('takes %s as the defaults', async (_name, headers, payload) => {
    const app = await anApp();
    const response = await app.inject({ method: 'POST', url: CLEANUP, headers, payload });
    expect(response.statusCode).toBe(200);
    expect(response.json().level).toBe('emergency');
  });

  it('answers at /cleanup as well', async () => {
    const app = await anApp();
    const response = await clean(app, { level: 'gentle' }, '/cleanup');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ level: 'gentle', results: [] });
  });

  it('tells the hook the level and the reason, and takes its figures', async () => {
    const hook = await aHook((_request, response) => {
      response.end(JSON.stringify({ freed_bytes: 4096, items: 7 }));
    });
    const app = await withHooks({ trim: hook });
    const run = (await clean(app, { level: 'aggressive', target: 'api' })).json();
    expect(rowsOf(run).trim).toMatchObject({ outcome: 'ok', freed_bytes: 4096, items: 7 });
    expect(run.results).toHaveLength(1);
    expect(run.before.target).toBe('api');
    expect(JSON.parse(hook.bodies[0] ?? '')).toMatchObject({
      level: 'aggressive',
      reason: expect.stringContaining('127.0.0.1'),
    });
  });

  it('leaves one line in the log, and one for each cleaner that went wrong', async () => {
    const trim = await aHook((_request, response) => response.end('{"freed_bytes":4096}'));
    const broken = await aHook((_request, response) => response.writeHead(500).end('no'));
    const log = aLog();
    const app = await withHooks({ trim, broken }, log.logger);
    const run = (await clean(app, { level: 'aggressive', target: 'api' })).json();
    expect(log.lines.filter(({ id }) => id === run.id)).toEqual([
      expect.objectContaining({
        msg: 'a cleaner did not do its work',
        cleaner: 'broken',
        target: 'api',
        outcome: 'failed',
        error: expect.stringContaining('answered 500'),
      }),
      expect.objectContaining({
        msg: 'cleanup done',
        cleanupLevel: 'aggressive',
        reason: 'asked over HTTP by 127.0.0.1',
        dryRun: false,
        outcome: 'failed',
        cleaners: expect.arrayContaining([expect.objectContaining({ outcome: 'ok' })]),
        durationMs: expect.any(Number),
        freedBytes: 4096,
      }),
    ]);
  });

  it('only says what it would do in a dry run', async () => {
    const hook = await aHook((_request, response) => response.end());
    const app = await withHooks({ trim: hook });
    const run = (await clean(app, { dry_run: true })).json();
    expect(run.dry_run).toBe(true);
    expect(rowsOf(run).trim).toMatchObject({ outcome: 'skipped', plan: `call POST ${hook.url}` });
    expect(hook.bodies).toEqual([]);
  });

  it('isolates cleaners: each that goes wrong is a row, and the call is 200', async () => {
    const app = await withHooks({
      broken: await aHook((_request, response) => response.writeHead(500).end('no')),
      hanging: await aHook(() => {}),
      rude: await aHook((request) => request.socket.destroy()),
      garbage: await aHook((_request, response) => response.end('{"freed_bytes": "lots"')),
      endless: await aHook((_request, response) => response.end('x'.repeat(200_000))),
      fine: await aHook((_request, response) => response.end('{"items":1}')),
    });
    const response = await clean(app, { level: 'gentle' });
    expect(response.statusCode).toBe(200);
    const rows = rowsOf(response.json());
    expect(rows.broken).toMatchObject({ outcome: 'failed', freed_bytes: null });
    expect(rows.broken?.error).toContain('answered 500');
    expect(rows.hanging).toMatchObject({ outcome: 'timed_out', freed_bytes: null });
    expect(rows.rude?.outcome).toBe('failed');
    expect(rows.garbage?.outcome).toBe('ok');
    expect(rows.endless?.outcome).toBe('ok');
    expect(rows.fine).toMatchObject({ outcome: 'ok', items: 1 });
  });

  it('runs a cleaner of the application, and survives one that throws', async () => {
    const app = await anApp();
    const base = {
      target: 'self',
      level: 'gentle',
      timeoutMs: 1_000,
      plan: () => 'clear',
    } as const;
    app.memory.addCleaner({ ...base, name: 'sessions', run: () => ({ freedBytes: 10, items: 2 }) });
    app.memory.addCleaner({
      ...base,
      name: 'locks',
      run() {
        throw new Error('still held');
      },
    });
    const rows = rowsOf((await clean(app, { level: 'gentle' })).json());
    expect(rows.sessions).toMatchObject({ outcome: 'ok', items: 2, freed_bytes: 10 });
    expect(rows.locks).toMatchObject({ outcome: 'failed', error: 'still held' });
  });

  it('does not believe a hook that frees more than its service held', async () => {
    const lie = 9 * 2 ** 40;
    const hook = await aHook((_request, response) => {
      response.end(JSON.stringify({ freed_bytes: lie, items: 7 }));
    });
    const app = await withHooks({ liar: hook });
    const run = (await clean(app, { level: 'gentle', target: 'api' })).json();
    const { liar } = rowsOf(run);
    expect(liar).toMatchObject({ outcome: 'ok', items: 7 });
    expect(liar?.error).toMatch(
      /^its freedBytes was ignored: 9 TiB is more than the process held \([\d.]+ MiB\)$/,
    );
    expect(Math.abs(liar?.freed_bytes ?? Number.NaN)).toBeLessThan(2 ** 30);
    expect(Math.abs(run.freed_mb)).toBeLessThan(1024);
    const page = (await app.inject('/metrics')).body;
    const total = /^memwarden_cleaner_freed_bytes_total\{cleaner="liar"\} (.+)$/m.exec(page)?.[1];
    expect(Number(total)).toBeLessThan(2 ** 30);
  });

  it('believes no cleaner of the application that frees more than there is', async () => {
    const app = await anApp();
    app.memory.addCleaner(aCleaner('liar', () => ({ freedBytes: 1e300 })));
    const { liar } = rowsOf((await clean(app, { level: 'gentle' })).json());
    expect(liar).toMatchObject({ outcome: 'ok', error: expect.stringContaining('ignored') });
    const measured = liar?.freed_bytes ?? Number.NaN;
    expect(app.memory.cleanup.scores().find(({ cleaner }) => cleaner === 'liar')).toMatchObject({
      ok: 1,
      freedBytesTotal: Math.max(0, measured),
      lastFreedBytes: measured,
    });
    expect(measured).toBeLessThan(2 ** 40);
  });

  it('is one run for all that call while it goes on', async () => {
    let release = (): void => {};
    const called = aSignal();
    const hook = await aHook((_request, response) => {
      release = () => response.end('{}');
      called.resolve();
    });
    const app = await withHooks({ trim: hook });
    const first = clean(app, { level: 'gentle' });
    void first.then();
    await called.promise;
    const others = Array.from({ length: 10 }, () => clean(app, { level: 'gentle' }));
    for (const other of others) void other.then();
    expect((await clean(app, { dry_run: true })).statusCode).toBe(200);
    release();
    const ids = (await Promise.all([first, ...others])).map((response) => response.json().id);
    expect(new Set(ids).size).toBe(1);
    expect(hook.bodies).toHaveLength(1);
  });

  it.each([
    ['an unknown target', { target: 'nobody' }, 404, 'MEM_UNKNOWN_TARGET'],
    ['an unknown level', { level: 'nuclear' }, 400, 'MEM_BAD_REQUEST'],
    ['a boolean in words', { dry_run: 'true' }, 400, 'MEM_BAD_REQUEST'],
    ['a key that is not documented', { levle: 'gentle' }, 400, 'MEM_BAD_REQUEST'],
    ['a list', [], 400, 'MEM_BAD_REQUEST'],
  ])('refuses %s', async (_name, payload, status, code) => {
    const app = await anApp();
    const response = await clean(app, payload);
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ status, code });
  });

  it('is answered when the service stops meanwhile, and none is started after', async () => {
    const called = aSignal();
    const hook = await aHook(() => called.resolve());
    const app = await withHooks({ trim: hook, after: hook });
    const call = clean(app, { level: 'gentle' });
    void call.then();
    await called.promise;
    await end(app);
    const response = await call;
    expect(response.statusCode).toBe(200);
    const rows = rowsOf(response.json());
    expect(rows.trim?.outcome).toBe('timed_out');
    expect(rows.after).toMatchObject({ outcome: 'skipped', error: 'memwarden is stopping' });
  });

  it('lets a caller hang up without harm', async () => {
    const called = aSignal();
    const hook = await aHook(() => called.resolve());
    const app = await withHooks({ trim: hook });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const done = aSignal();
    app.memory.events.on('action', () => done.resolve());
    const call = request(`${address}${CLEANUP}`, { method: 'POST' });
    call.on('error', () => {});
    call.end();
    await called.promise;
    call.destroy();
    await done.promise;
    const response = await fetch(`${address}/health/live`);
    expect(response.status).toBe(200);
    await response.text();
  });

  it('runs over a real socket with no body at all', async () => {
    const app = await anApp();
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const body = await new Promise<string>((resolve, reject) => {
      request(`${address}${CLEANUP}`, { method: 'POST' }, (response) => resolve(text(response)))
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(body)).toMatchObject({ level: 'emergency' });
  });

  it('refuses what belongs in the body when it is in the URL, and cleans nothing', async () => {
    const app = await anApp();
    const runs: unknown[] = [];
    app.memory.events.on('action', (run) => runs.push(run));
    for (const query of ['dry_run=true', 'level=gentle']) {
      const answer = await app.inject({
        method: 'POST',
        url: `/internal/memory/cleanup?${query}`,
      });
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'MEM_BAD_REQUEST']);
    }
    expect(runs).toEqual([]);
  });
});
