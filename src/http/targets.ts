import { codes } from '../errors.ts';
import * as Type from '../typebox.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';
import { targetView } from './target-view.ts';

/** GET /internal/memory/targets[/:name] */
export async function targetRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  app.get(
    '/targets',
    {
      schema: {
        operationId: 'listTargets',
        summary: 'What is watched',
        tags: ['targets'],
        response: { 200: Type.Ref('MemwardenTargetList'), ...problems },
      },
    },
    async () => ({ targets: warden.states().map((state) => targetView(warden, state)) }),
  );

  app.get(
    '/targets/:name',
    {
      schema: {
        operationId: 'getTarget',
        summary: 'One target',
        tags: ['targets'],
        params: Type.Object({ name: Type.String({ maxLength: 64 }) }),
        response: { 200: Type.Ref('MemwardenTarget'), ...problems },
      },
    },
    async (request) => {
      const state = warden.collector.state(request.params.name);
      if (state) return targetView(warden, state);
      throw new codes.MEM_UNKNOWN_TARGET(`There is no target "${request.params.name}".`);
    },
  );
}
