import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/collect/clock.ts';
import { memoryRoutes } from '../../src/http/routes.ts';
import type { TypedApp } from '../../src/http/scope.ts';
import { useValidation } from '../../src/http/validation.ts';
import { parsePolicy } from '../../src/policy/load.ts';
import { createWarden, type Warden } from '../../src/warden.ts';

const TARGETS = 200;
const MIB = 2 ** 20;
const ALLOWED_BYTES = 2 * MIB;

/** What an hour holds; a warm-up is a share of it, and fills what has a bound. */
interface Load {
  readonly ticks: number;
  readonly scrapes: number;
  readonly cleanups: number;
}
const HOUR: Load = { ticks: 3_600, scrapes: 10_000, cleanups: 1_000 };
/** 600 cleanups: the stream keeps the last 500 for its clients. */
const WARM_UP: Load = { ticks: 1_200, scrapes: 500, cleanups: 600 };

/** Each reading is a second after the one before. */
function createFastClock(): Clock {
  let wallMs = Date.now();
  let bootMs = 1_000_000;
  return {
    now() {
      wallMs += 1_000;
      bootMs += 1_000;
      return { wallMs, bootMs };
    },
    close() {},
  };
}

const sleepers: ChildProcess[] = [];
/** What an application would drop: filled on every tick, emptied by a cleaner. */
const cache = new Map<number, Buffer>();
/** The application that the other cleaner calls. */
const hook = createServer((request, response) => {
  request.resume().on('end', () => response.end('{"freed_bytes": 4096, "items": 1}'));
});
let dataDir: string;
let warden: Warden;
let app: FastifyInstance;

async function startSleepers(): Promise<number[]> {
  for (let i = 0; i < TARGETS; i++) sleepers.push(spawn('sleep', ['3600'], { stdio: 'ignore' }));
  await Promise.all(sleepers.map((sleeper) => once(sleeper, 'spawn')));
  return sleepers.map(({ pid }) => pid as number);
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'memwarden-leak-'));
  const pids = await startSleepers();
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const { port } = hook.address() as AddressInfo;
  const targets = pids.map((pid, index) => `  - { name: t${index}, match: { pid: ${pid} } }`);
  targets[0] = `  - name: t0
    match: { pid: ${pids[0]} }
    cleaners: [{ name: trim, level: gentle, http: { url: "http://127.0.0.1:${port}/trim" } }]`;
  const policy = parsePolicy(`targets:\n${targets.join('\n')}\n`, { flags: { dataDir } });
  warden = createWarden({ policy, log: pino({ level: 'silent' }), clock: createFastClock() });
  warden.addCleaner({
    name: 'cache',
    target: 'self',
    level: 'gentle',
    timeoutMs: 1_000,
    plan: () => 'empty the cache',
    run() {
      const items = cache.size;
      cache.clear();
      return { items };
    },
  });
  app = Fastify();
  useValidation(app);
  await memoryRoutes(app as unknown as TypedApp, {
    warden,
    version: '0',
    reloadPolicy: () => policy,
    prefix: '/internal/memory',
    metricsPath: '/metrics',
    health: true,
    standalone: true,
  });
  await app.ready();
}, 60_000);

afterAll(async () => {
  await app?.close();
  await warden?.stop();
  hook.closeAllConnections();
  hook.close();
  for (const sleeper of sleepers) sleeper.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

/** The load, mixed as it would be over an hour. */
async function live({ ticks, scrapes, cleanups }: Load): Promise<void> {
  let scraped = 0;
  let cleaned = 0;
  for (let tick = 1; tick <= ticks; tick++) {
    warden.tick();
    cache.set(tick, Buffer.alloc(1_024));
    // A tick is a turn of the event loop: what native code finalizes waits for the next.
    await new Promise((resolve) => setImmediate(resolve));
    for (; scraped < (scrapes * tick) / ticks; scraped++) {
      const page = await app.inject('/metrics');
      if (page.statusCode !== 200) throw new Error(page.body);
    }
    for (; cleaned < (cleanups * tick) / ticks; cleaned++) {
      const { results } = await warden.cleanup.run({ level: 'gentle', reason: 'test' });
      const done = results.filter(({ outcome }) => outcome === 'ok');
      if (done.length !== 2) throw new Error(JSON.stringify(results));
    }
  }
}

async function measure(): Promise<NodeJS.MemoryUsage> {
  // Finalizers run between two turns, and let go of more.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage();
}

const inMib = (bytes: number): string => (bytes / MIB).toFixed(2);

describe('an hour of memwarden', () => {
  it('leaves the heap where it was', async () => {
    expect(globalThis.gc, 'run with --expose-gc').toBeTypeOf('function');
    await live(WARM_UP);
    const before = await measure();
    const historyBefore = warden.history.bytes;
    await live(HOUR);
    const after = await measure();

    const grown = after.heapUsed - before.heapUsed;
    const external = after.external - before.external;
    const history = warden.history.bytes - historyBefore;
    console.log(
      `heap ${inMib(before.heapUsed)} + ${inMib(grown)} MiB; external + ${inMib(external)} MiB, of which history ${inMib(history)}; RSS ${inMib(before.rss)} + ${inMib(after.rss - before.rss)} MiB`,
    );
    expect(warden.failures).toBe(0);
    expect(cache.size).toBe(0);
    expect(grown).toBeLessThan(ALLOWED_BYTES);
    // Off the heap, history grows with what it remembers, and nothing else does.
    expect(external - history).toBeLessThan(ALLOWED_BYTES);
  });
});
