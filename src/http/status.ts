import * as Type from '../typebox.ts';
import { readingView } from './reading-view.ts';
import { problems, type RouteScope, TargetQuery, type TypedApp } from './scope.ts';
import { statusView } from './status-view.ts';

const FORGETTING_EVENTS = ['sample', 'alert', 'action'] as const;

/**
 * GET /internal/memory/status and /metrics.
 *
 * The report speaks of the last sample, so it is built and serialised once per sample and target;
 * a thousand readers of the same second cost one report. A change of targets or policy is told at once.
 */
export async function statusRoutes(app: TypedApp, { warden, version }: RouteScope): Promise<void> {
  const bodies = new Map<string | null, string>();
  let revision = warden.revision;
  const forget = (): void => bodies.clear();
  for (const event of FORGETTING_EVENTS) warden.events.on(event, forget);
  app.addHook('onClose', async () => {
    for (const event of FORGETTING_EVENTS) warden.events.off(event, forget);
  });

  const bodyOf = (target: string | null): string => {
    if (warden.revision !== revision) forget();
    revision = warden.revision;
    const body = bodies.get(target) ?? JSON.stringify(statusView(warden, target, version));
    bodies.set(target, body);
    return body;
  };

  app.get(
    '/status',
    {
      schema: {
        operationId: 'getStatus',
        summary: 'The report: what grows, what it will hit, what was done',
        tags: ['memory'],
        querystring: TargetQuery,
        response: { 200: Type.Ref('MemwardenStatus'), ...problems },
      },
    },
    (request, reply) => {
      const body = bodyOf(request.query.target ?? null);
      reply.header('content-type', 'application/json; charset=utf-8').send(body);
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getReading',
        summary: 'One live reading, taken now',
        tags: ['memory'],
        querystring: TargetQuery,
        response: { 200: Type.Ref('MemwardenReading'), ...problems },
      },
    },
    async (request) => readingView(warden.read(request.query.target ?? warden.defaultTarget)),
  );
}
