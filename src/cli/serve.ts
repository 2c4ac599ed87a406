import { once } from 'node:events';
import { createServer } from 'node:net';
import closeWithGrace from 'close-with-grace';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import pino from 'pino';
import { buildApp } from '../app.ts';
import { codes } from '../errors.ts';
import { runAtSpeed } from '../footprint.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy, ServerPolicy } from '../policy/policy.ts';
import { isLoopback } from '../policy/url.ts';
import { readVersion } from '../version.ts';
import { type Args, type Command, type Io, textOf } from './command.ts';

/** Everything must be written and closed by then; what hangs is left behind and said so. */
const SHUTDOWN_CEILING_MS = 5_000;

function refuseOpenBind({ host, token }: ServerPolicy): void {
  if (isLoopback(host) || token !== null) return;
  throw new codes.MEM_INSECURE_BIND(
    `server.host is ${host}: anyone who reaches it could read and clean up. Set MEMWARDEN_TOKEN (or server.token_file), or bind to 127.0.0.1.`,
  );
}

/** The log, in JSON on stderr. @throws MEM_POLICY_INVALID for a level that pino does not know */
function createLog({ LOG_LEVEL: level = 'info' }: NodeJS.ProcessEnv): pino.Logger {
  const known = [...Object.keys(pino.levels.values), 'silent'];
  if (known.includes(level)) return pino({ level }, pino.destination(2));
  throw new codes.MEM_POLICY_INVALID(
    `environment: LOG_LEVEL: expected one of ${known.join(', ')}, got "${level}"`,
  );
}

function portTaken({ host, port }: ServerPolicy, cause: unknown): unknown {
  const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  if (!isTaken) return cause;
  return new codes.MEM_PORT_IN_USE(
    `Port ${port} on ${host} is taken. Stop what listens there, or choose another: --port N.`,
    { cause },
  );
}

/** Before anything is sampled, since rules act on the first sample, of a service that then cannot start. */
async function tryPort(server: ServerPolicy): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(server.port, server.host);
    await once(probe, 'listening');
  } catch (cause) {
    throw portTaken(server, cause);
  } finally {
    probe.close();
  }
}

async function listen(app: FastifyInstance, server: ServerPolicy): Promise<string> {
  try {
    return await app.listen({ host: server.host, port: server.port });
  } catch (cause) {
    await app.close();
    throw portTaken(server, cause);
  }
}

/** What a person reads at start. */
function greeting(url: string, policy: Policy): string {
  const watched = ['this host', 'itself', ...policy.targets.map(({ name }) => name)].join(', ');
  return `memwarden ${readVersion()} watches ${watched} | ${url} | report: curl ${url}/internal/memory/status | docs: ${url}/docs | Prometheus: ${url}/metrics`;
}

/** On SIGHUP. What comes while the service is still starting finds the policy that was just read. */
function reload(
  app: FastifyInstance | undefined,
  reloadPolicy: () => Policy,
  logger: FastifyBaseLogger,
): void {
  if (app === undefined) return;
  try {
    const needsRestart = app.memory.reload(reloadPolicy());
    logger.info({ source: app.memory.policy.source, needsRestart }, 'policy reloaded');
  } catch (error) {
    logger.error(refusalOf(error), 'the new policy is refused; the running one stays');
  }
}

/** What is wrong with the policy, as check-config says it; a defect of ours keeps its stack. */
function refusalOf(error: unknown): object {
  const isThePolicys =
    error instanceof codes.MEM_POLICY_INVALID || error instanceof codes.MEM_POLICY_UNREADABLE;
  return isThePolicys ? { problems: error.message.split('\n') } : { err: error };
}

async function serve(args: Args, io: Io): Promise<number> {
  const flags = {
    config: textOf(args, 'config'),
    host: textOf(args, 'host'),
    port: textOf(args, 'port'),
    dataDir: textOf(args, 'data-dir'),
  };
  const reloadPolicy = (): Policy => loadPolicy({ env: io.env, flags });
  const policy = reloadPolicy();
  refuseOpenBind(policy.server);
  await tryPort(policy.server);

  const logger = createLog(io.env);
  for (const note of [...policy.warnings, ...policy.notAvailableYet]) logger.warn(note);
  let app: FastifyInstance | undefined;
  // Before the app is built: a signal that comes meanwhile must not end in the middle of a start.
  process.on('SIGHUP', () => reload(app, reloadPolicy, logger));
  closeWithGrace(
    { delay: SHUTDOWN_CEILING_MS, logger, skip: ['SIGHUP', 'beforeExit'] },
    async ({ signal, err }) => {
      if (err) logger.fatal({ err }, 'memwarden ends on an error of its own');
      else logger.info({ signal }, 'shutting down');
      await app?.close();
    },
  );
  app = await buildApp({ policy, logger, reloadPolicy });
  const url = await listen(app, policy.server);
  io.out(greeting(url, policy));
  runAtSpeed();
  return 0;
}

export const command: Command = {
  summary: 'watch, judge, clean up and serve (the default)',
  usage: '[--config FILE] [--host H] [--port N] [--data-dir DIR]',
  options: {
    config: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string' },
    'data-dir': { type: 'string' },
  },
  help: {
    config: 'the policy; default ./memory_policy.yaml when it exists',
    host: 'default 127.0.0.1',
    port: 'default 8181; 0 takes any free one',
    'data-dir': 'where history is kept; default ./data',
  },
  run: serve,
};
