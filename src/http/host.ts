import * as Type from '../typebox.ts';
import { problems, type RouteScope, type TypedApp } from './scope.ts';

const text = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description });

const HostSchema = Type.Object(
  {
    os: text('Distribution and release'),
    kernel: text('Kernel release'),
    arch: Type.String(),
    cpu_model: text('Processor'),
    cpus: Type.Integer({ description: 'Usable by this process' }),
    memory_bytes: Type.Integer(),
    virtualization: text('Hypervisor; empty on bare metal'),
    container: text('docker, podman, kubernetes, …; null outside a container'),
    unknown: Type.Array(Type.Object({ metric: Type.String(), reason: Type.String() })),
  },
  { $id: 'MemwardenHost', description: 'What does not change while the host runs' },
);

/** GET /internal/memory/host: asked of the system once, at the first call, which takes a second. */
export async function hostRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  app.addSchema(HostSchema);
  app.get(
    '/host',
    {
      schema: {
        operationId: 'getHost',
        summary: 'The machine: what does not change while it runs',
        tags: ['targets'],
        response: { 200: Type.Ref('MemwardenHost'), ...problems },
      },
    },
    async () => {
      const facts = await warden.collector.facts();
      return {
        os: facts.os,
        kernel: facts.kernel,
        arch: facts.arch,
        cpu_model: facts.cpuModel,
        cpus: facts.cpus,
        memory_bytes: facts.memoryBytes,
        virtualization: facts.virtualization,
        container: facts.container,
        unknown: facts.unknown,
      };
    },
  );
}
