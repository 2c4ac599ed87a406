import { afterEach, describe, expect, it, vi } from 'vitest';
import { aService, endServices } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);
afterEach(() => {
  vi.useRealTimers();
});

describe('GET /health', () => {
  it('is live and ready after the first sample', async () => {
    const app = await anApp();
    const live = await app.inject('/health/live');
    expect([live.statusCode, live.json()]).toEqual([
      200,
      { status: 'live', reason: null, pressure_percent: null },
    ]);
    const ready = await app.inject('/health/ready');
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toMatchObject({ status: 'ready', reason: null });
    expect(ready.json().pressure_percent).toBeGreaterThan(0);
  });

  it('is not ready at critical pressure, and is again after it', async () => {
    const service = await aService();
    await service.hold(200);
    const app = await anApp(
      `targets: [{ name: api, match: { pid: ${service.pid} }, budget: 260MiB }]`,
    );
    const pressed = await app.inject('/health/ready');
    expect(pressed.statusCode).toBe(503);
    expect(pressed.json()).toMatchObject({ status: 'not_ready' });
    expect(pressed.json().reason).toMatch(/(critical|emergency) memory pressure on api/);
    expect((await app.inject('/health/live')).statusCode).toBe(200);
    await service.hold(0);
    app.memory.tick();
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
  });

  it('is not ready when sampling has stalled, and the status says so', async () => {
    const app = await anApp();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    expect((await app.inject('/health/ready')).statusCode, 'a stepped clock is no stall').toBe(200);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 301_000);
    const ready = await app.inject('/health/ready');
    expect([ready.statusCode, ready.json().reason]).toEqual([503, 'sampling has stalled']);
    expect((await app.inject('/internal/memory/status')).json().status).toBe('unknown');
    expect((await app.inject('/health/live')).statusCode).toBe(200);
    vi.restoreAllMocks();
    app.memory.tick();
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
    expect((await app.inject('/internal/memory/status')).json().status).toBe('ok');
  });
});
