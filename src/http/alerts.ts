import * as Type from '../typebox.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';
import { ruleView } from './status-view.ts';

/** GET /internal/memory/alerts: what is pending, firing or just resolved; `?all=true` lists every rule. */
export async function alertRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  app.get(
    '/alerts',
    {
      schema: {
        operationId: 'listAlerts',
        summary: 'Rules and their state',
        tags: ['memory'],
        querystring: Type.Object(
          { all: Type.Optional(Type.Boolean({ description: 'inactive and unknown ones too' })) },
          { additionalProperties: false },
        ),
        response: { 200: Type.Ref('MemwardenAlertList'), ...problems },
      },
    },
    async (request) => {
      const shown = new Set(['pending', 'firing', 'resolved']);
      const alerts = warden.judge.board
        .instances()
        .filter((instance) => request.query.all || shown.has(instance.state.phase));
      return { alerts: alerts.map(ruleView) };
    },
  );
}
