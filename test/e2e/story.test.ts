import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CleanupRunWire, RuleWire, TargetWire } from '../../src/http/schemas.ts';
import { endPrograms, eventually, type Program, start } from './program.ts';
import { createScratch, type Scratch, type Service, startService } from './service.ts';

const APP = join(import.meta.dirname, 'hungry-app.mjs');
const EATEN_MB = 200;
const LIMIT_MB = 150;

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(async () => {
  await endPrograms();
  scratch.remove();
});

interface App extends Program {
  readonly port: number;
}

async function startApp(port: number, pidFile: string): Promise<App> {
  const args = ['--expose-gc', APP, String(port), pidFile];
  const program = await start(process.execPath, args);
  return { ...program, port: Number(await program.stdout.find(() => true)) };
}

const policyOf = (match: string, port: number): string => `
sampling: { interval: 200ms }
targets:
  - name: app
    match: ${match}
    cleaners: [{ name: trim, level: aggressive, http: { url: "http://127.0.0.1:${port}/trim" } }]
thresholds:
  - name: App Too Big
    target: app
    metric_key: process_memory_mb
    comparison: greater_than
    threshold_value: ${LIMIT_MB}
    severity: critical
    actions: [notify]
`;

const appOf = (targets: readonly TargetWire[]): TargetWire | undefined =>
  targets.find(({ name }) => name === 'app');

const alertState = async (service: Service): Promise<string | undefined> => {
  const page = await (await service.fetch('/metrics')).text();
  return /^memwarden_alert_state\{rule="App Too Big",.*\} (\d)$/m.exec(page)?.[1];
};

const alertsOf = async (service: Service): Promise<RuleWire[]> =>
  (await service.get<{ alerts: RuleWire[] }>('/internal/memory/alerts')).alerts;

const phaseOf = (rules: readonly RuleWire[]): string | undefined =>
  rules.find(({ name }) => name === 'App Too Big')?.state;

/** Memory rises, an alert fires, a cleanup frees, the alert resolves. */
async function riseAndFall(service: Service, app: App): Promise<void> {
  await eventually(service.status, ({ targets }) => appOf(targets)?.state === 'running');
  expect(phaseOf((await service.status('app')).thresholds)).toBe('inactive');
  expect(await alertState(service)).toBe('0');

  await fetch(`http://127.0.0.1:${app.port}/eat?mb=${EATEN_MB}`, { method: 'POST' });
  const fired = await service.logged(({ msg }) =>
    String(msg).startsWith('critical: App Too Big on app'),
  );
  expect(fired.level).toBe(50);
  expect(phaseOf(await alertsOf(service))).toBe('firing');
  expect(await alertState(service)).toBe('2');
  const broken = await service.status('app');
  expect(broken.status).toBe('critical');
  expect(broken.current.process_memory_mb).toBeGreaterThan(EATEN_MB);
  expect(broken.alerts[0]?.message).toContain('App Too Big');

  const run = await service.post<CleanupRunWire>('/internal/memory/cleanup', {
    level: 'aggressive',
    target: 'app',
  });
  expect(run.results.find(({ cleaner }) => cleaner === 'trim')).toMatchObject({
    target: 'app',
    outcome: 'ok',
    freed_bytes: EATEN_MB * 2 ** 20,
    items: EATEN_MB,
    error: null,
  });
  expect(run.freed_mb).toBeGreaterThan(EATEN_MB / 2);

  await eventually(
    () => alertsOf(service),
    (alerts) => phaseOf(alerts) !== 'firing',
  );
  expect(await alertState(service)).toBe('0');
  const healed = await service.status('app');
  expect(phaseOf(healed.thresholds)).toBe('resolved');
  expect(healed.status).toBe('ok');
  expect(healed.current.process_memory_mb).toBeLessThan(LIMIT_MB);
  await service.logged(({ msg }) => String(msg).startsWith('resolved: App Too Big on app'));
}

/** The target is killed and comes back as another process. */
async function dieAndReturn(service: Service, app: App, pidFile: string): Promise<void> {
  await app.end('SIGKILL');
  const gone = await eventually(service.status, ({ targets }) => appOf(targets)?.state === 'gone');
  expect(appOf(gone.targets)).toMatchObject({ pid: app.pid, rss_bytes: null, generation: 1 });
  expect((await service.status('app')).current.process_memory_mb).toBeNull();

  const next = await startApp(app.port, pidFile);
  const back = await eventually(
    service.status,
    ({ targets }) => appOf(targets)?.state === 'running',
  );
  expect(appOf(back.targets)).toMatchObject({ pid: next.pid, generation: 2 });
}

describe('a service that grows too big', () => {
  it.each([
    ['its command', (pidFile: string) => `{ command: "hungry-app\\\\.mjs \\\\d+ ${pidFile}" }`],
    ['its pid file', (pidFile: string) => `{ pid_file: ${pidFile} }`],
  ])('is found by %s, told of, cleaned up, and followed over a restart', async (_how, match) => {
    const pidFile = join(scratch.dir, 'app.pid');
    const app = await startApp(0, pidFile);
    const service = await startService({
      cwd: scratch.dir,
      policy: policyOf(match(pidFile), app.port),
    });
    await riseAndFall(service, app);
    await dieAndReturn(service, app, pidFile);
  });
});
