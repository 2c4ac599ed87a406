import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { aService, endServices } from '../a-service.ts';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);
afterEach(endServices);

describe('GET /internal/memory/targets', () => {
  it('lists what is watched, itself last', async () => {
    const { pid } = await aService();
    const app = await anApp(`
targets:
  - { name: api, match: { pid: ${pid} } }
  - { name: db, match: { command: "no-such-program-anywhere" } }
`);
    const { targets } = (await app.inject('/internal/memory/targets')).json();
    expect(targets).toMatchObject([
      { name: 'api', state: 'running', pid, generation: 1, processes: 1, registered: false },
      { name: 'db', state: 'waiting', pid: null, generation: 0, since: null },
      { name: 'self', state: 'running', pid: process.pid },
    ]);
    expect(targets[0].command).toContain('--expose-gc');
    expect(targets[0].rss_bytes).toBeGreaterThan(1e6);
    expect(targets[1].rss_bytes).toBeNull();
    expect(targets[1].reason).toContain('no-such-program-anywhere');
  });

  it('gives one by name, and a problem for another', async () => {
    const app = await anApp();
    expect((await app.inject('/internal/memory/targets/self')).json().pid).toBe(process.pid);
    for (const name of ['nobody', '..%2f..%2fetc', '__proto__']) {
      const response = await app.inject(`/internal/memory/targets/${name}`);
      expect(response.json()).toMatchObject({ status: 404, code: 'MEM_UNKNOWN_TARGET' });
    }
  });

  it('tells that a target went, and that another took its place', async () => {
    const mark = `mark-${process.pid}`;
    const first = await aService(mark);
    const app = await anApp(`targets: [{ name: api, match: { command: "${mark}" } }]`);
    const gone = once(app.memory.events, 'target');
    await first.end();
    app.memory.tick();
    expect((await gone)[0]).toMatchObject({ kind: 'gone', target: 'api', pid: first.pid });
    const second = await aService(mark);
    const back = once(app.memory.events, 'target');
    // the process table is searched a slice at a time
    while (app.memory.collector.state('api')?.state === 'gone') app.memory.tick();
    expect((await back)[0]).toMatchObject({ kind: 'restarted', pid: second.pid, generation: 2 });
    const response = await app.inject('/internal/memory/targets/api');
    expect(response.json()).toMatchObject({ state: 'running', generation: 2, pid: second.pid });
  });
});
