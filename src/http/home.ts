import type { FastifyInstance } from 'fastify';

const PLACES: readonly (readonly [string, string])[] = [
  ['/internal/memory/status', 'the report: what grows, what it will hit, what was done'],
  ['/internal/memory/metrics', 'one live reading'],
  ['/internal/memory/history', 'columns of samples, up to 24 h back'],
  ['/internal/memory/alerts', 'rules that are pending, firing or just resolved'],
  ['/internal/memory/targets', 'what is watched'],
  ['/internal/memory/host', 'the machine'],
  ['/internal/memory/stream', 'server-sent events'],
  ['/metrics', 'for Prometheus'],
  ['/health/ready', 'for orchestrators'],
  ['/docs', 'every route, to try out'],
];

/** GET / : where things are, as plain text for people with curl. */
export async function homeRoutes(
  app: FastifyInstance,
  { version }: { version: string },
): Promise<void> {
  const width = Math.max(...PLACES.map(([path]) => path.length));
  const lines = PLACES.map(([path, what]) => `  ${path.padEnd(width)}  ${what}`);
  const page = `memwarden ${version}\n\n${lines.join('\n')}\n`;
  app.get('/', { schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/plain; charset=utf-8');
    return page;
  });
}
