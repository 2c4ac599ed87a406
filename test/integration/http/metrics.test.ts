import { afterEach, describe, expect, it } from 'vitest';
import { aService, endServices } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);

const METRICS = '/internal/memory/metrics';

describe('GET /internal/memory/metrics', () => {
  it('reads now, and not at the last tick', async () => {
    const service = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${service.pid} } }]`);
    const before = (await app.inject(METRICS)).json();
    await service.hold(64);
    const after = (await app.inject(METRICS)).json();
    expect(after.process_memory_mb - before.process_memory_mb).toBeGreaterThan(60);
    expect(after.target).toBe('api');
    expect(after.process.pss_bytes).toBeGreaterThan(0);
  });

  it('knows the heap, the GC and the system of its own process', async () => {
    const app = await anApp();
    const reading = (await app.inject(METRICS)).json();
    expect(reading.heap.used_bytes).toBeGreaterThan(1e6);
    expect(reading.heap.limit_bytes).toBeGreaterThan(reading.heap.used_bytes);
    expect(reading.heap.spaces).toHaveProperty('old_space');
    expect(reading.system.total_bytes).toBeGreaterThan(reading.system.available_bytes);
    expect(reading.gc).toHaveProperty('effectiveness_percent');
    expect(reading.heap_objects).toBeNull();
  });

  it('has null and a reason for everything it cannot know of another process', async () => {
    const service = await aService();
    const app = await anApp(`targets: [{ name: api, match: { pid: ${service.pid} } }]`);
    const reading = (await app.inject(METRICS)).json();
    expect(reading.heap).toBeNull();
    expect(reading.gc).toBeNull();
    const reasons = new Map(
      reading.unknown.map(({ metric, reason }: Record<string, string>) => [metric, reason]),
    );
    expect(reasons.get('heap')).toEqual(expect.any(String));
    expect(reasons.get('heap_objects')).toEqual(expect.any(String));
  });

  it('carries custom gauges; one that throws is null, with what it threw', async () => {
    const app = await anApp();
    app.memory.addGauge('self', 'chat_sessions', () => 3);
    const forget = app.memory.addGauge('self', 'document_locks', () => {
      throw new Error('no lock table');
    });
    app.memory.tick();
    const reading = (await app.inject(METRICS)).json();
    expect(reading.custom_metrics).toEqual({ chat_sessions: 3, document_locks: null });
    expect(reading.unknown).toContainEqual({
      metric: 'custom.document_locks',
      reason: 'the gauge threw no lock table',
    });
    expect(app.memory.failures).toBe(0);
    forget();
    expect((await app.inject(METRICS)).json().custom_metrics).toEqual({ chat_sessions: 3 });
  });

  it('refuses an unknown target', async () => {
    const app = await anApp();
    const response = await app.inject(`${METRICS}?target=__proto__`);
    expect(response.statusCode).toBe(404);
    expect(response.json().code).toBe('MEM_UNKNOWN_TARGET');
  });
});
