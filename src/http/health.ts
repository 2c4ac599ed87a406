import * as Type from '../typebox.ts';
import { finite } from './reading-view.ts';
import type { RouteScope, TypedApp } from './scope.ts';

const HealthSchema = Type.Object(
  {
    status: Type.String(),
    reason: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    pressure_percent: Type.Unsafe<number | null>({ type: ['number', 'null'] }),
  },
  { $id: 'MemwardenHealth' },
);

/**
 * GET /health/live and /health/ready, open to all. Live means that the loop turns; ready is 503 at
 * critical pressure and when sampling has stalled. Neither asks anything of a dependency.
 */
export async function healthRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  app.addSchema(HealthSchema);

  const reasonNotReady = (): string | null => {
    if (warden.stalled()) return 'sampling has stalled';
    for (const name of [warden.defaultTarget, 'system']) {
      const level = warden.judge.assessment(name)?.pressure;
      if (level === 'critical' || level === 'emergency')
        return `${level} memory pressure on ${name}`;
    }
    return null;
  };

  app.get(
    '/health/live',
    {
      schema: {
        operationId: 'live',
        summary: 'The loop turns',
        tags: ['health'],
        response: { 200: Type.Ref('MemwardenHealth') },
      },
    },
    async () => ({ status: 'live', reason: null, pressure_percent: null }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'ready',
        summary: 'Fit to serve: samples come in and pressure is below critical',
        tags: ['health'],
        response: { 200: Type.Ref('MemwardenHealth'), 503: Type.Ref('MemwardenHealth') },
      },
    },
    async (_request, reply) => {
      const reason = reasonNotReady();
      const percent = warden.judge.assessment(warden.defaultTarget)?.pressurePercent ?? Number.NaN;
      reply.code(reason === null ? 200 : 503);
      return {
        status: reason === null ? 'ready' : 'not_ready',
        reason,
        pressure_percent: finite(percent),
      };
    },
  );
}
