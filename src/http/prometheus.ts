import { EXPOSITION_CONTENT_TYPE } from './exposition.ts';
import { createMetricsPage } from './metrics-page.ts';
import type { RouteScope, TypedApp } from './scope.ts';
import { createSelfMetrics } from './self-metrics.ts';

/** GET /metrics: Prometheus text 0.0.4; target series by our own writer, our own by prom-client. */
export async function prometheusRoutes(
  app: TypedApp,
  { warden, version, path, defaults }: RouteScope & { path: string; defaults: boolean },
): Promise<void> {
  const page = createMetricsPage(warden);
  const own = createSelfMetrics(warden, version, defaults);
  app.addHook('onClose', async () => own.close());
  app.get(
    path,
    {
      schema: {
        operationId: 'scrape',
        summary: 'Prometheus text 0.0.4',
        tags: ['prometheus'],
        produces: ['text/plain'],
      },
    },
    async (_request, reply) => {
      reply.header('content-type', EXPOSITION_CONTENT_TYPE);
      return page.render() + (await own.render());
    },
  );
}
