import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);

const HISTORY = '/internal/memory/history';

const get = async (app: FastifyInstance, query: string) => app.inject(`${HISTORY}?${query}`);

/** A service whose past hour is `n` samples of a gauge `wave`, a second apart; every tenth is missing. */
async function withPast(n: number): Promise<{ app: FastifyInstance; startMs: number }> {
  const app = await anApp();
  const { history } = app.memory;
  const column = history.column('self/custom.wave');
  const startMs = Date.now() - (n + 1) * 1_000;
  app.memory.history.rebase(startMs - 1_000 - history.lastMs);
  for (let i = 0; i < n; i++) {
    const row = new Float64Array(history.width).fill(Number.NaN);
    if (i % 10 !== 0) row[column] = i === 1_234 ? 9_999 : Math.sin(i / 50);
    history.append(startMs + i * 1_000, row);
  }
  return { app, startMs };
}

describe('GET /internal/memory/history', () => {
  it('gives columns, one time for each value', async () => {
    const app = await anApp();
    const body = (await get(app, 'series=rss_bytes,heap_used_bytes')).json();
    expect(body.target).toBe('self');
    expect(Object.keys(body.series)).toEqual(['rss_bytes', 'heap_used_bytes']);
    expect(body.t).toHaveLength(1);
    expect(body.t[0]).toMatch(/Z$/);
    expect(body.series.rss_bytes[0]).toBeGreaterThan(1e6);
  });

  it('thins to the points asked for and keeps the peak', async () => {
    const { app } = await withPast(3_000);
    const body = (await get(app, 'series=custom.wave&points=200')).json();
    expect(body.t.length).toBeGreaterThan(100);
    expect(body.t.length).toBeLessThanOrEqual(200);
    expect(body.series['custom.wave']).toHaveLength(body.t.length);
    expect(body.series['custom.wave']).toContain(9_999);
    expect(body.t).toEqual([...body.t].sort());
  });

  it('shows what was not known as null', async () => {
    const { app, startMs } = await withPast(40);
    const from = new Date(startMs).toISOString();
    const body = (await get(app, `series=custom.wave&from=${from}&points=5000`)).json();
    const values: (number | null)[] = body.series['custom.wave'];
    expect(values.slice(0, 40).filter((value) => value === null)).toHaveLength(4);
    expect(values[0]).toBeNull();
  });

  it('gives min, max and average of equal buckets', async () => {
    const { app } = await withPast(1_300);
    const body = (await get(app, 'series=custom.wave&stat=min,max,avg&points=10')).json();
    const { min, max, avg } = body.series['custom.wave'];
    expect(max).toContain(9_999);
    expect([min.length, max.length, avg.length]).toEqual(Array(3).fill(body.t.length));
    for (let i = 0; i < body.t.length; i++) {
      if (avg[i] === null) continue;
      expect(avg[i]).toBeGreaterThanOrEqual(min[i]);
      expect(avg[i]).toBeLessThanOrEqual(max[i]);
    }
    const averages = (await get(app, 'series=custom.wave&stat=avg')).json();
    expect(Object.keys(averages.series['custom.wave'])).toEqual(['avg']);
  });

  it('keeps to the window', async () => {
    const { app, startMs } = await withPast(100);
    const [from, to] = [10, 20].map((second) => new Date(startMs + second * 1_000).toISOString());
    const body = (await get(app, `series=custom.wave&from=${from}&to=${to}`)).json();
    expect(body).toMatchObject({ from, to });
    for (const time of body.t) {
      expect(time >= (from as string)).toBe(true);
      expect(time <= (to as string)).toBe(true);
    }
    const span = (await get(app, 'series=custom.wave&from=60s&to=30s')).json();
    expect(Date.parse(span.to) - Date.parse(span.from)).toBe(30_000);
    expect(span.t.length).toBeGreaterThan(20);
  });

  it('is empty and not an error where there was nothing', async () => {
    const app = await anApp();
    const body = (
      await get(app, 'series=rss_bytes&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')
    ).json();
    expect(body.t).toEqual([]);
    expect(body.series.rss_bytes).toEqual([]);
  });

  it('names the series there are when one is not', async () => {
    const app = await anApp();
    const response = await get(app, 'series=rss_bites');
    expect(response.statusCode).toBe(404);
    expect(response.json().code).toBe('MEM_UNKNOWN_SERIES');
    expect(response.json().detail).toContain('rss_bytes');
  });

  it.each([
    ['target=nobody', 404, 'MEM_UNKNOWN_TARGET'],
    ['points=1', 400, 'MEM_BAD_REQUEST'],
    ['points=5001', 400, 'MEM_BAD_REQUEST'],
    ['points=many', 400, 'MEM_BAD_REQUEST'],
    ['stat=median', 400, 'MEM_BAD_REQUEST'],
    ['from=yesterday', 400, 'MEM_BAD_REQUEST'],
    ['from=2026-13-45T00:00:00Z', 400, 'MEM_BAD_REQUEST'],
    ['from=5m&to=10m', 400, 'MEM_BAD_REQUEST'],
    ['from=99999999999d', 400, 'MEM_BAD_REQUEST'],
    ['to=104249991d', 400, 'MEM_BAD_REQUEST'],
    ['series=rss_bytes&series=threads', 400, 'MEM_BAD_REQUEST'],
    [`series=${Array(51).fill('rss_bytes').join()}`, 400, 'MEM_BAD_REQUEST'],
    ['unknown=1', 400, 'MEM_BAD_REQUEST'],
  ])('refuses ?%s', async (query, status, code) => {
    const app = await anApp();
    const response = await get(app, query);
    expect(response.json()).toMatchObject({ status, code });
    expect(response.headers['content-type']).toContain('application/problem+json');
  });
});
