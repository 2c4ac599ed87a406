import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { codes } from './errors.ts';
import { memoryRoutes } from './http/routes.ts';
import type { TypedApp } from './http/scope.ts';
import { useValidation } from './http/validation.ts';
import { loadPolicy } from './policy/load.ts';
import type { Policy } from './policy/policy.ts';
import { readVersion } from './version.ts';
import { createWarden, type Warden } from './warden.ts';

export interface MemwardenOptions {
  /** a policy made by `loadPolicy` or `parsePolicy`; default: memory_policy.yaml, environment, defaults */
  readonly policy?: Policy;
  /** where the resources live */
  readonly prefix?: string;
  /** false leaves Prometheus to the application */
  readonly metricsPath?: string | false;
  /** serves /health/live and /health/ready; false in a host application, which has its own */
  readonly health?: boolean;
  /** the whole service: /cleanup, /sd/prometheus and our own process metrics as well */
  readonly standalone?: boolean;
  /** how POST …/policy/reload reads the policy again */
  readonly reloadPolicy?: () => Policy;
}

declare module 'fastify' {
  interface FastifyInstance {
    memory: Warden;
  }
}

/** JavaScript has no types to say it: a path or the text of a policy is not a policy. */
function checkPolicy(policy: Policy): Policy {
  if (typeof policy === 'object' && policy?.sampling && policy.history) return policy;
  throw new codes.MEM_POLICY_INVALID(
    'options.policy: expected what loadPolicy() or parsePolicy() returns.',
  );
}

async function plugin(app: FastifyInstance, options: MemwardenOptions): Promise<void> {
  const reloadPolicy = options.reloadPolicy ?? (() => loadPolicy({ env: process.env, flags: {} }));
  const standalone = options.standalone ?? false;
  const warden = createWarden({
    policy: checkPolicy(options.policy ?? reloadPolicy()),
    log: app.log.child({ name: 'memwarden' }),
    embedded: !standalone,
  });
  // First, so that the data directory is let go even when the rest of the registration fails.
  app.addHook('onClose', async () => warden.stop());
  app.addHook('onReady', async () => warden.start());
  app.decorate('memory', warden);

  await app.register(async (scope) => {
    useValidation(scope);
    await memoryRoutes(scope as unknown as TypedApp, {
      warden,
      version: readVersion(),
      reloadPolicy,
      prefix: options.prefix ?? '/internal/memory',
      metricsPath: options.metricsPath === false ? null : (options.metricsPath ?? '/metrics'),
      health: options.health ?? standalone,
      standalone,
    });
  });
}

/**
 * memwarden inside an application: one decorator, `fastify.memory`, and routes under a prefix. It
 * samples from `ready` to `close`, keeps no process alive, and leaves the application's error
 * handler alone.
 *
 * @throws MEM_POLICY_INVALID at registration; for the data directory MEM_DATABASE_NEWER, MEM_CONFLICT
 * or MEM_DATA_DIR_UNUSABLE
 */
export const memwarden = fp(plugin, { name: 'memwarden', fastify: '5.x' });
