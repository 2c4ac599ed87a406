import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { aHook, endHooks } from '../a-hook.ts';
import { aService, canTakePid, endServices, takePid } from '../a-service.ts';
import { aDataDir, anApp, aPolicy, end, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);
afterEach(endHooks);

const SERVICES = '/internal/memory/services';

const put = (app: FastifyInstance, name: string, payload: object) =>
  app.inject({ method: 'PUT', url: `${SERVICES}/${name}`, payload });
const forget = (app: FastifyInstance, name: string) =>
  app.inject({ method: 'DELETE', url: `${SERVICES}/${name}` });
const targetOf = (app: FastifyInstance, name: string) =>
  app.inject(`/internal/memory/targets/${name}`);

describe('a registration over a restart', () => {
  it('comes back when its process is still the same', async () => {
    const { pid } = await aService();
    const dataDir = aDataDir();
    const before = await anApp('', { dataDir });
    await put(before, 'shop', { pid, budget: '1GiB', metrics_address: '127.0.0.1:9000' });
    await end(before);
    const after = await anApp('', { dataDir });
    expect((await targetOf(after, 'shop')).json()).toMatchObject({ state: 'running', pid });
    expect(after.memory.services.all()).toMatchObject([{ name: 'shop', budgetBytes: 2 ** 30 }]);
    expect((await after.inject('/sd/prometheus')).json()).toHaveLength(1);
  });

  it('is forgotten when its process has ended', async () => {
    const service = await aService();
    const dataDir = aDataDir();
    const before = await anApp('', { dataDir });
    await put(before, 'shop', { pid: service.pid });
    await end(before);
    await service.end();
    const after = await anApp('', { dataDir });
    expect((await targetOf(after, 'shop')).statusCode).toBe(404);
  });

  it.skipIf(!canTakePid())('is forgotten when its pid belongs to another process', async () => {
    const service = await aService();
    const dataDir = aDataDir();
    const before = await anApp('', { dataDir });
    await put(before, 'shop', { pid: service.pid });
    await end(before);
    await service.end();
    await takePid(service.pid);
    const after = await anApp('', { dataDir });
    expect((await targetOf(after, 'shop')).statusCode).toBe(404);
  });

  it('does not come back after it was taken away', async () => {
    const { pid } = await aService();
    const dataDir = aDataDir();
    const before = await anApp('', { dataDir });
    await put(before, 'shop', { pid });
    await forget(before, 'shop');
    await end(before);
    const after = await anApp('', { dataDir });
    expect(after.memory.services.all()).toEqual([]);
  });

  it('gives way to a target of that name in a new policy', async () => {
    const [registered, named] = [await aService(), await aService()];
    const hook = await aHook((_request, response) => response.end('{}'));
    const dataDir = aDataDir();
    const app = await anApp('', { dataDir });
    await put(app, 'shop', { pid: registered.pid, cleanup_url: hook.url });
    app.memory.reload(
      aPolicy(
        `targets: [{ name: shop, match: { pid: ${named.pid} }, cleaners: [{ name: cleanup-url, level: gentle, http: { url: "${hook.url}" } }] }]`,
        { dataDir },
      ),
    );
    expect((await targetOf(app, 'shop')).json()).toMatchObject({ pid: named.pid });
    const run = await app.inject({
      method: 'POST',
      url: '/internal/memory/cleanup',
      payload: { target: 'shop' },
    });
    expect(run.json().results).toHaveLength(1);
  });
});
