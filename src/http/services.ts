import { codes } from '../errors.ts';
import { checkBudget, checkCleanupUrl, checkTargetName } from '../policy/service.ts';
import * as Type from '../typebox.ts';
import { GaugesBodySchema, ServiceBodySchema } from './schemas.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';
import { targetView } from './target-view.ts';

const NameParams = Type.Object({ name: Type.String({ maxLength: 64 }) });

/** PUT, DELETE …/services/:name and POST …/services/:name/metrics: applications in any language. */
export async function serviceRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  app.put(
    '/services/:name',
    {
      schema: {
        operationId: 'putService',
        summary: 'Register a process to be watched, or change what was registered',
        tags: ['targets'],
        params: NameParams,
        body: ServiceBodySchema,
        response: { 200: Type.Ref('MemwardenTarget'), ...problems },
      },
    },
    async (request) => {
      const name = checkTargetName(request.params.name);
      const { body } = request;
      warden.services.put(
        {
          name,
          pid: body.pid,
          includeChildren: body.include_children ?? true,
          budgetBytes: body.budget === undefined ? null : checkBudget(body.budget),
          cleanupUrl: body.cleanup_url === undefined ? null : checkCleanupUrl(body.cleanup_url),
          cleanupLevel: body.cleanup_level ?? 'aggressive',
          metricsAddress: body.metrics_address ?? null,
          metricsPath: body.metrics_path ?? '/metrics',
          identity: null,
        },
        warden.policy,
      );
      const state = warden.collector.state(name);
      if (state) return targetView(warden, state);
      throw new codes.MEM_INTERNAL(`"${name}" was registered and is not watched.`);
    },
  );

  app.delete(
    '/services/:name',
    {
      schema: {
        operationId: 'deleteService',
        summary: 'Stop watching a registered service',
        tags: ['targets'],
        params: NameParams,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      warden.services.remove(request.params.name);
      reply.code(204);
      return null;
    },
  );

  app.post(
    '/services/:name/metrics',
    {
      // a push is not an action: as many as an application with a hundred gauges a second needs
      config: { rateLimit: { max: 6_000, timeWindow: '1 minute' } },
      schema: {
        operationId: 'pushGauges',
        summary: 'Push gauges: chat_sessions, document_locks, anything',
        tags: ['targets'],
        params: NameParams,
        body: GaugesBodySchema,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      if (!warden.collector.state(name)) {
        throw new codes.MEM_UNKNOWN_TARGET(
          `There is no target "${name}". Register it with PUT /internal/memory/services/${name}.`,
        );
      }
      const gauges = Object.entries(request.body);
      for (const [gauge, value] of gauges) warden.pushGauge(name, gauge, value);
      reply.code(204);
      return null;
    },
  );
}
