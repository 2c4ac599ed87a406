import * as Type from '../typebox.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';

const ReloadSchema = Type.Object(
  {
    source: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    targets: Type.Integer(),
    rules: Type.Integer(),
    not_available_yet: Type.Array(Type.String()),
    needs_restart: Type.Array(Type.String()),
  },
  { $id: 'MemwardenPolicyReload' },
);

/** POST /internal/memory/policy/reload: a bad file is refused and the running policy stays. */
export async function policyRoutes(
  app: TypedApp,
  { warden, reloadPolicy }: RouteScope,
): Promise<void> {
  app.addSchema(ReloadSchema);
  app.post(
    '/policy/reload',
    {
      schema: {
        operationId: 'reloadPolicy',
        summary: 'Read the policy file again',
        tags: ['policy'],
        response: { 200: Type.Ref('MemwardenPolicyReload'), ...problems },
      },
    },
    async () => {
      const needsRestart = warden.reload(reloadPolicy());
      const { policy } = warden;
      return {
        source: policy.source,
        targets: policy.targets.length,
        rules: policy.rules.length,
        not_available_yet: [...policy.notAvailableYet],
        needs_restart: needsRestart,
      };
    },
  );
}
