import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { BODY_LIMIT_BYTES } from './http/bodies.ts';
import { homeRoutes } from './http/home.ts';
import { useMethodProblem } from './http/methods.ts';
import { openApiRoutes, useOpenApi } from './http/openapi.ts';
import { refuseClient, sendProblem, useNotFoundProblem, useProblems } from './http/problem.ts';
import { protect } from './http/routes.ts';
import type { TypedApp } from './http/scope.ts';
import { SCHEMA_CONTROLLER } from './http/validation.ts';
import { memwarden } from './plugin.ts';
import type { Policy } from './policy/policy.ts';
import { readVersion } from './version.ts';

/** A request that has not been read by then is a slow client, not work. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface AppOptions {
  readonly policy: Policy;
  readonly logger?: FastifyBaseLogger;
  /** how POST …/policy/reload reads the policy again; default: it stays as it is */
  readonly reloadPolicy?: () => Policy;
}

/** The standalone service, built and ready to listen. Sampling begins with `ready` and ends with `close`. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { policy, logger, reloadPolicy = () => policy } = options;
  const app = Fastify({
    ...(logger ? { loggerInstance: logger } : {}),
    bodyLimit: BODY_LIMIT_BYTES,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    schemaController: SCHEMA_CONTROLLER,
    frameworkErrors: sendProblem,
    clientErrorHandler: refuseClient,
  });
  const version = readVersion();

  useProblems(app);
  useNotFoundProblem(app);
  useMethodProblem(app);
  await useOpenApi(app, version);
  await app.register(memwarden, { policy, reloadPolicy, standalone: true });
  await app.register(async (scope) => {
    await protect(scope as unknown as TypedApp, app.memory);
    // Only pages need its headers; on data they are a measurable part of a request.
    await scope.register(helmet, { contentSecurityPolicy: false, hsts: false });
    await openApiRoutes(scope);
  });
  await app.register(homeRoutes, { version });
  return app;
}
