/** The whole service on a data directory of its own, without a port, and ended after each test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { buildApp } from '../../src/app.ts';
import { parsePolicy } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/policy.ts';

/** So rarely that only the test samples, through `app.memory.tick()`. */
const STILL = 'sampling: { interval: 60s, detail_interval: 60s }\n';

export interface AppSetup {
  readonly dataDir?: string;
  readonly env?: Record<string, string>;
  readonly logger?: FastifyBaseLogger;
  readonly reloadPolicy?: () => Policy;
}

const dirs: string[] = [];
const open = new Set<FastifyInstance>();

export function aDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'memwarden-test-'));
  dirs.push(dir);
  return dir;
}

/** A policy that samples only when asked to, and with no rule unless `yaml` has some. */
export function aPolicy(yaml = '', { dataDir = aDataDir(), env = {} }: AppSetup = {}): Policy {
  const rules = yaml.includes('thresholds:') ? '' : 'thresholds: []\n';
  const text = (yaml.includes('sampling:') ? '' : STILL) + rules + yaml;
  return parsePolicy(text, { flags: { dataDir }, env });
}

/** A service that is ready: it has taken one sample. */
export async function anApp(yaml = '', setup: AppSetup = {}): Promise<FastifyInstance> {
  const { logger, reloadPolicy } = setup;
  const app = await buildApp({ policy: aPolicy(yaml, setup), logger, reloadPolicy });
  open.add(app);
  await app.ready();
  return app;
}

/** Ends it now, so that its data directory can be opened again. */
export async function end(app: FastifyInstance): Promise<void> {
  open.delete(app);
  await app.close();
}

/** For afterEach. */
export async function endApps(): Promise<void> {
  for (const app of open) await end(app);
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
}
