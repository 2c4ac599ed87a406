import * as Type from '../typebox.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';

/** GET /sd/prometheus: registered services that said where their own metrics are. */
export async function discoveryRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  app.get(
    '/sd/prometheus',
    {
      schema: {
        operationId: 'discover',
        summary: 'Prometheus HTTP service discovery',
        tags: ['prometheus'],
        response: { 200: Type.Ref('MemwardenDiscovery'), ...problems },
      },
    },
    async () =>
      warden.services.all().flatMap((service) =>
        service.metricsAddress === null
          ? []
          : {
              targets: [service.metricsAddress],
              labels: { job: service.name, __metrics_path__: service.metricsPath },
            },
      ),
  );
}
