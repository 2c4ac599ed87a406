import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../src/policy/load.ts';
import { aHook, endHooks } from '../a-hook.ts';
import { aService, endServices } from '../a-service.ts';
import { aDataDir, anApp, aPolicy, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);
afterEach(endHooks);

/** A service whose policy is a file that the test writes. */
async function fromFile(first: string) {
  const dir = aDataDir();
  const path = join(dir, 'memory_policy.yaml');
  const write = (text: string): void => writeFileSync(path, text);
  write(first);
  const flags = { config: path, dataDir: join(dir, 'data') };
  const app = await anApp(first, {
    dataDir: flags.dataDir,
    reloadPolicy: () => loadPolicy({ env: {}, flags }),
  });
  const reload = async () => app.inject({ method: 'POST', url: '/internal/memory/policy/reload' });
  return { app, write, reload };
}

const STILL = 'sampling: { interval: 60s, detail_interval: 60s }\n';
const rule = (name: string): string =>
  `thresholds: [{ name: ${name}, metric_key: process_memory_mb, threshold_value: 1 }]\n`;

describe('POST /internal/memory/policy/reload', () => {
  it('takes a good policy at once', async () => {
    const { pid } = await aService();
    const { app, write, reload } = await fromFile(STILL);
    write(`${STILL}${rule('Big')}targets: [{ name: api, match: { pid: ${pid} } }]\n`);
    const response = await reload();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ targets: 1, rules: 1, needs_restart: [] });
    expect(app.memory.defaultTarget).toBe('api');
    app.memory.tick();
    const alerts = (await app.inject('/internal/memory/alerts')).json().alerts;
    expect(alerts.map((alert: { target: string }) => alert.target)).toEqual(['api', 'self']);
  });

  it('refuses a bad one, names what is wrong, and keeps the running one', async () => {
    const { app, write, reload } = await fromFile(STILL + rule('Kept'));
    const before = app.memory.policy;
    write(`${STILL}samplng: 1\nthresholds: [{ name: x }]\n`);
    const response = await reload();
    expect(response.json()).toMatchObject({ status: 422, code: 'MEM_POLICY_INVALID' });
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json().detail).toContain('samplng');
    expect(response.json().errors.length).toBeGreaterThanOrEqual(2);
    expect(app.memory.policy).toBe(before);
    app.memory.tick();
    const all = (await app.inject('/internal/memory/alerts?all=true')).json().alerts;
    expect(all).toMatchObject([{ name: 'Kept' }]);
  });

  it('names the keys that only a restart applies, and never shows a token', async () => {
    const { write, reload } = await fromFile(STILL);
    write(`server: { port: 9999 }\nsampling: { interval: 30s, detail_interval: 31s }\n`);
    expect((await reload()).json().needs_restart).toEqual(['server', 'sampling.detail_interval']);
  });

  it('tells that a fired rule which is gone is over', async () => {
    const { app, write, reload } = await fromFile(STILL + rule('Big'));
    const told: string[] = [];
    app.memory.events.on('alert', ({ event, instance }) => {
      told.push(`${event} ${instance.rule.name}`);
    });
    write(`${STILL}thresholds: []\n`);
    await reload();
    expect(told).toEqual(['resolved Big']);
  });

  it('leaves everything as it was when a cleaner of the application is in the way', async () => {
    const { pid } = await aService();
    const hook = await aHook((_request, response) => response.end('{}'));
    const target = (cleaners: string[]): string =>
      `targets: [{ name: api, match: { pid: ${pid} }, cleaners: [${cleaners
        .map((name) => `{ name: ${name}, level: gentle, http: { url: "${hook.url}" } }`)
        .join()}] }]`;
    const app = await anApp(target(['one']));
    const running = app.memory.policy;
    app.memory.addCleaner({
      name: 'mine',
      target: 'api',
      level: 'gentle',
      timeoutMs: 100,
      plan: () => 'nothing',
      run: () => undefined,
    });
    const next = aPolicy(target(['one', 'two', 'mine']));
    expect(() => app.memory.reload(next)).toThrow(/mine/);
    expect(app.memory.policy).toBe(running);
    const run = await app.inject({
      method: 'POST',
      url: '/internal/memory/cleanup',
      payload: { target: 'api', dry_run: true },
    });
    const cleaners = run.json().results.map(({ cleaner }: { cleaner: string }) => cleaner);
    expect(cleaners.sort()).toEqual(['mine', 'one']);
  });
});
