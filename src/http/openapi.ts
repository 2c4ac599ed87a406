import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

interface OperationWithBody {
  requestBody?: {
    required?: boolean;
    content?: Record<string, { schema?: { type?: string | readonly string[] } }>;
  };
}

/** A body that may be null need not be sent; the generator calls every body required. */
function relaxBodies(document: object): object {
  const { paths = {} } = document as { paths?: Record<string, Record<string, OperationWithBody>> };
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    const { requestBody } = operation;
    const schemas = Object.values(requestBody?.content ?? {}).map(({ schema }) => schema);
    if (requestBody && schemas.some((schema) => schema?.type?.includes('null')))
      requestBody.required = false;
  }
  return document;
}

/** Collects the routes registered after it into an OpenAPI 3.1 document. */
export async function useOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'memwarden',
        version,
        description:
          'A memory warden for services. Unknown numbers are null and listed in `unknown`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'memory', description: 'What is' },
        { name: 'actions', description: 'What is done about it' },
        { name: 'targets', description: 'What is watched' },
        { name: 'policy', description: 'How it is judged' },
        { name: 'prometheus', description: 'For the field’s own engines' },
        { name: 'health', description: 'For orchestrators' },
      ],
      // either with the token, or, where none is set, with nothing
      security: [{ token: [] }, {}],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transformObject: (document) =>
      relaxBodies('openapiObject' in document ? document.openapiObject : {}),
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema.$id === 'string' ? schema.$id : `schema-${index}`,
    },
  });
}

/** GET /docs and /openapi.json, behind whatever protects this scope. */
export async function openApiRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
