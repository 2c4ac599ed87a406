import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CleanupRunWire, ReadingWire } from '../../src/http/schemas.ts';
import { endPrograms, eventually, type Program, start } from './program.ts';
import { createScratch, type Scratch, startService } from './service.ts';
import { needs } from './tools.ts';

const HUNGRY_APP = join(import.meta.dirname, 'hungry-app.mjs');

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(async () => {
  await endPrograms();
  scratch.remove();
});

interface Sample {
  metric: Record<string, string>;
  value: [time: number, text: string];
}

interface Prometheus extends Program {
  query(expression: string): Promise<Sample[]>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A Prometheus that scrapes every second; `jobs` is YAML below scrape_configs. */
async function startPrometheus(jobs: string): Promise<Prometheus> {
  const config = scratch.file(
    'prometheus.yml',
    `global: { scrape_interval: 1s }\nscrape_configs:\n${jobs}`,
  );
  const port = await freePort();
  const program = await start('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${scratch.dir}/tsdb`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await program.stderr.find((line) => line.includes('ready to receive web requests'));
  return {
    ...program,
    async query(expression) {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const answer = (await (await fetch(url)).json()) as { data: { result: Sample[] } };
      return answer.data.result;
    },
  };
}

const MIB = 2 ** 20;

type Readings = Record<'app' | 'self', ReadingWire>;

/** What a series says and what JSON says of it; `tolerance` is a share of the value. */
const FIGURES: readonly {
  expression: string;
  of: (readings: Readings) => number | null | undefined;
  tolerance: number;
}[] = [
  {
    expression: 'memwarden_target_resident_memory_bytes{target="app"}',
    of: ({ app }) => app.process?.rss_bytes,
    tolerance: 0.05,
  },
  {
    expression: `memwarden_target_resident_memory_bytes{target="app"} / ${MIB}`,
    of: ({ app }) => app.process_memory_mb,
    tolerance: 0.05,
  },
  {
    expression: 'memwarden_target_processes{target="app"}',
    of: ({ app }) => app.process?.processes,
    tolerance: 0,
  },
  {
    expression: 'memwarden_target_threads{target="app"}',
    of: ({ app }) => app.process?.threads,
    tolerance: 0,
  },
  {
    expression: 'memwarden_target_swap_bytes{target="app"}',
    of: ({ app }) => app.process?.swap_bytes,
    tolerance: 0,
  },
  {
    expression: 'memwarden_target_proportional_memory_bytes{target="app"}',
    of: ({ app }) => app.process?.pss_bytes,
    tolerance: 0.1,
  },
  {
    expression: 'memwarden_target_open_fds{target="app"}',
    of: ({ app }) => app.process?.open_fds,
    tolerance: 0,
  },
  {
    expression: 'memwarden_target_heap_limit_bytes{target="self"}',
    of: ({ self }) => self.heap?.limit_bytes,
    tolerance: 0,
  },
  {
    expression: 'memwarden_target_external_memory_bytes{target="self"}',
    of: ({ self }) => self.heap?.external_bytes,
    tolerance: 0.2,
  },
  {
    expression: 'memwarden_custom{target="app",name="chat_sessions"}',
    of: ({ app }) => app.custom_metrics.chat_sessions,
    tolerance: 0,
  },
  {
    expression: 'memwarden_system_memory_total_bytes',
    of: ({ app }) => app.system.total_bytes,
    tolerance: 0,
  },
  {
    expression: 'memwarden_system_memory_available_bytes',
    of: ({ app }) => app.system.available_bytes,
    tolerance: 0.2,
  },
  {
    expression: '100 * memwarden_system_memory_used_ratio',
    of: ({ app }) => app.system_memory_percent,
    tolerance: 0.3,
  },
];

describe('a real Prometheus', () => {
  it('reads the same figures as a reader of the JSON', async (context) => {
    needs('prometheus', context);
    const app = await start(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
    const service = await startService({
      cwd: scratch.dir,
      policy: `targets: [{ name: app, match: { pid: ${app.pid} } }]\n`,
    });
    await service.fetch('/internal/memory/services/app/metrics', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"chat_sessions": 7}',
    });
    const { host } = new URL(service.url);
    const prometheus = await startPrometheus(
      `  - { job_name: memwarden, static_configs: [{ targets: ["${host}"] }] }\n`,
    );
    for (const late of ['memwarden_custom', 'memwarden_target_proportional_memory_bytes']) {
      await eventually(
        () => prometheus.query(`${late}{target="app"}`),
        (found) => found.length > 0,
      );
    }
    const read = (target: string): Promise<ReadingWire> =>
      service.get(`/internal/memory/metrics?target=${target}`);
    const readings = { app: await read('app'), self: await read('self') };
    for (const { expression, of, tolerance } of FIGURES) {
      const found = await prometheus.query(expression);
      expect(found.length, expression).toBe(1);
      const expected = Number(of(readings));
      const distance = Math.abs(Number(found[0]?.value[1]) - expected);
      expect(distance, expression).toBeLessThanOrEqual(tolerance * expected);
    }
    expect((await prometheus.query('up{job="memwarden"}'))[0]?.value[1]).toBe('1');
    expect(await prometheus.query('scrape_samples_scraped > 40')).toHaveLength(1);
  });

  it('sees a rule fire on a process that grows, and rest once it was cleaned up', async (context) => {
    needs('prometheus', context);
    const app = await start(process.execPath, ['--expose-gc', HUNGRY_APP, '0']);
    const appUrl = `http://127.0.0.1:${await app.stdout.find(() => true)}`;
    const service = await startService({
      cwd: scratch.dir,
      policy: `
sampling: { interval: 200ms }
targets:
  - name: app
    match: { pid: ${app.pid} }
    cleaners: [{ name: trim, level: aggressive, http: { url: "${appUrl}/trim" } }]
thresholds:
  - { name: Too Big, target: app, metric_key: process_memory_mb, threshold_value: 150, severity: critical }
`,
    });
    const { host } = new URL(service.url);
    const prometheus = await startPrometheus(
      `  - { job_name: memwarden, static_configs: [{ targets: ["${host}"] }] }\n`,
    );
    const becomes = (expression: string, value: string): Promise<Sample[]> =>
      eventually(
        () => prometheus.query(expression),
        ([found]) => found?.value[1] === value,
      );
    const state = 'memwarden_alert_state{rule="Too Big"}';
    await becomes(state, '0');
    await fetch(`${appUrl}/eat?mb=200`, { method: 'POST' });
    const fired = await becomes(state, '2');
    expect(fired.map(({ metric }) => metric)).toEqual([
      expect.objectContaining({ target: 'app', severity: 'critical', job: 'memwarden' }),
    ]);
    const run = await service.post<CleanupRunWire>('/internal/memory/cleanup', {
      level: 'aggressive',
      target: 'app',
    });
    expect(run.results).toMatchObject([{ cleaner: 'trim', outcome: 'ok', items: 200 }]);
    await becomes(state, '0');
    await becomes('memwarden_cleaner_freed_bytes_total{cleaner="trim"}', String(200 * MIB));
    const [held] = await prometheus.query('memwarden_target_resident_memory_bytes{target="app"}');
    expect(Number(held?.value[1])).toBeLessThan(150 * MIB);
  });

  it('finds a service that registered itself', async (context) => {
    needs('prometheus', context);
    const application = createServer((_request, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end('shop_orders_total 42\n');
    }).listen(0, '127.0.0.1');
    await once(application, 'listening');
    const { port } = application.address() as { port: number };
    const service = await startService({ cwd: scratch.dir });
    const registered = await service.fetch('/internal/memory/services/shop', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        pid: process.pid,
        metrics_address: `127.0.0.1:${port}`,
        metrics_path: '/figures',
      }),
    });
    expect(registered.status).toBe(200);
    const prometheus = await startPrometheus(
      `  - { job_name: found, http_sd_configs: [{ url: "${service.url}/sd/prometheus", refresh_interval: 1s }] }\n`,
    );
    const [orders] = await eventually(
      () => prometheus.query('shop_orders_total'),
      (found) => found.length > 0,
    );
    expect(orders?.metric).toMatchObject({ job: 'shop', instance: `127.0.0.1:${port}` });
    expect(orders?.value[1]).toBe('42');
    application.close();
    application.closeAllConnections();
  });
});

describe('promtool', () => {
  it('finds no fault with the page', async (context) => {
    needs('promtool', context);
    const service = await startService({ cwd: scratch.dir });
    await service.post('/internal/memory/cleanup');
    const page = await (await service.fetch('/metrics')).text();
    expect(page).toContain('memwarden_cleanup_runs_total{');
    const lint = spawn('promtool', ['check', 'metrics']);
    lint.stdin.end(page);
    const [said, complaints, [code]] = await Promise.all([
      text(lint.stdout),
      text(lint.stderr),
      once(lint, 'close'),
    ]);
    expect({ said, complaints, code }).toEqual({ said: '', complaints: '', code: 0 });
  });
});
