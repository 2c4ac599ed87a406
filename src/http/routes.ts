import bearerAuth from '@fastify/bearer-auth';
import rateLimit from '@fastify/rate-limit';
import { codes } from '../errors.ts';
import { alertRoutes } from './alerts.ts';
import { useJsonBodies } from './bodies.ts';
import { cleanupRoutes } from './cleanup.ts';
import { discoveryRoutes } from './discovery.ts';
import { useGuard } from './guard.ts';
import { healthRoutes } from './health.ts';
import { historyRoutes } from './history.ts';
import { hostRoutes } from './host.ts';
import { policyRoutes } from './policy.ts';
import { PROBLEM_TYPE, type Problem, toProblem, useProblems } from './problem.ts';
import { prometheusRoutes } from './prometheus.ts';
import { SHARED_SCHEMAS } from './schemas.ts';
import type { RouteScope, TypedApp } from './scope.ts';
import { serviceRoutes } from './services.ts';
import { statusRoutes } from './status.ts';
import { streamRoutes } from './stream.ts';
import { targetRoutes } from './targets.ts';

const WRITES_A_MINUTE = 100;

export interface RoutesOptions extends RouteScope {
  /** where the resources live; `/internal/memory` */
  readonly prefix: string;
  /** null leaves Prometheus out */
  readonly metricsPath: string | null;
  /** null leaves health out; else what goes before /live and /ready's own paths */
  readonly health: boolean;
  /** `/cleanup` and `/sd/prometheus` as well */
  readonly standalone: boolean;
}

/** Everything in a protected scope asks for the token when there is one, else for this machine. */
export async function protect(app: TypedApp, { policy }: RouteScope['warden']): Promise<void> {
  const { token, allowedHosts } = policy.server;
  if (token === null) {
    useGuard(app, { allowedHosts });
    return;
  }
  // The plugin's types know its default answer only; the problem is sent as it is.
  const refuse = (error: Error): { error: string } & Problem => {
    const told = `${error.message}: send "Authorization: Bearer <token>".`;
    return toProblem(new codes.MEM_UNAUTHORIZED(told)) as { error: string } & Problem;
  };
  await app.register(bearerAuth, {
    keys: [token],
    // RFC 9110 11.1: "bearer" is the same scheme
    specCompliance: 'rfc6749',
    errorResponse: refuse,
    contentType: PROBLEM_TYPE,
    verifyErrorLogLevel: 'warn',
  });
  // RFC 9110 15.5.2: who is refused is told how to ask
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Bearer');
    done();
  });
}

/** All routes of this scope share one count for each client, but those with a limit of their own. */
async function limitWrites(app: TypedApp): Promise<void> {
  await app.register(rateLimit, {
    max: WRITES_A_MINUTE,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, context) =>
      new codes.MEM_TOO_MANY_REQUESTS(
        `More than ${context.max} writes in a minute; try again in ${context.after}.`,
      ),
  });
}

/** All routes, in a scope of their own: a host application keeps its error handler and its hooks. */
export async function memoryRoutes(root: TypedApp, options: RoutesOptions): Promise<void> {
  const { prefix, metricsPath, health, standalone, ...scope } = options;
  const { warden } = scope;
  useProblems(root);
  useJsonBodies(root);
  for (const schema of SHARED_SCHEMAS) root.addSchema(schema);

  if (health) await root.register(healthRoutes, scope);
  if (metricsPath !== null) {
    await root.register(async (page: TypedApp) => {
      const { token, protectMetrics } = warden.policy.server;
      if (token === null || protectMetrics) await protect(page, warden);
      await page.register(prometheusRoutes, { ...scope, path: metricsPath, defaults: standalone });
    });
  }
  await root.register(async (inner: TypedApp) => {
    await protect(inner, warden);
    await inner.register(reads, { ...scope, prefix });
    if (standalone) await inner.register(discoveryRoutes, scope);
    await inner.register(async (writing: TypedApp) => {
      await limitWrites(writing);
      await writing.register(writes, { ...scope, prefix });
      if (!standalone) return;
      await writing.register(cleanupRoutes, { ...scope, path: '/cleanup', alias: true });
    });
  });
}

// Both are registered under the prefix; each route gets the scope and not the prefix, which Fastify
// would add again.

async function reads(app: TypedApp, { warden, version, reloadPolicy }: RouteScope): Promise<void> {
  const scope = { warden, version, reloadPolicy };
  await app.register(statusRoutes, scope);
  await app.register(historyRoutes, scope);
  await app.register(streamRoutes, scope);
  await app.register(alertRoutes, scope);
  await app.register(targetRoutes, scope);
  await app.register(hostRoutes, scope);
}

async function writes(app: TypedApp, { warden, version, reloadPolicy }: RouteScope): Promise<void> {
  const scope = { warden, version, reloadPolicy };
  await app.register(cleanupRoutes, { ...scope, path: '/cleanup', alias: false });
  await app.register(serviceRoutes, scope);
  await app.register(policyRoutes, scope);
}
