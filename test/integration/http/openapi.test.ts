import { afterEach, describe, expect, it } from 'vitest';
import { anApp, endApps } from '../an-app.ts';

afterEach(endApps);

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: object }>;
}

async function document() {
  const app = await anApp();
  const response = await app.inject('/openapi.json');
  expect(response.statusCode).toBe(200);
  return response.json();
}

const operationsOf = (doc: { paths: Record<string, Record<string, Operation>> }) =>
  Object.entries(doc.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );

/** Every `$ref` of the document. */
function refsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsOf(inner),
  );
}

describe('GET /openapi.json', () => {
  it('requires a body only where one must be sent', async () => {
    const required = operationsOf(await document()).flatMap(({ operation }) =>
      operation.requestBody ? [[operation.operationId, operation.requestBody.required]] : [],
    );
    expect(Object.fromEntries(required)).toMatchObject({
      cleanup: false,
      cleanupAlias: false,
      putService: true,
      pushGauges: true,
    });
  });

  it('is OpenAPI 3.1 and has every route of the contract', async () => {
    const doc = await document();
    expect(doc.openapi).toBe('3.1.0');
    expect(doc.security).toEqual([{ token: [] }, {}]);
    expect(doc.components.securitySchemes.token).toEqual({ type: 'http', scheme: 'bearer' });
    expect(doc.info).toMatchObject({ title: 'memwarden', version: expect.stringMatching(/^\d/) });
    expect(
      operationsOf(doc)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([
      'DELETE /internal/memory/services/{name}',
      'GET /health/live',
      'GET /health/ready',
      'GET /internal/memory/alerts',
      'GET /internal/memory/history',
      'GET /internal/memory/host',
      'GET /internal/memory/metrics',
      'GET /internal/memory/status',
      'GET /internal/memory/stream',
      'GET /internal/memory/targets',
      'GET /internal/memory/targets/{name}',
      'GET /metrics',
      'GET /sd/prometheus',
      'POST /cleanup',
      'POST /internal/memory/cleanup',
      'POST /internal/memory/policy/reload',
      'POST /internal/memory/services/{name}/metrics',
      'PUT /internal/memory/services/{name}',
    ]);
  });

  it('names and describes every operation', async () => {
    const doc = await document();
    const operations = operationsOf(doc);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = doc.tags.map(({ name }: { name: string }) => name);
    for (const { name, path, operation } of operations) {
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/./)]);
      expect([name, tags]).toEqual([name, expect.arrayContaining(operation.tags)]);
      for (const response of Object.values(operation.responses)) {
        expect([name, response.description]).toEqual([name, expect.any(String)]);
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = operation.parameters?.filter((each) => each.in === 'path') ?? [];
      expect(declared.map((each) => each.name)).toEqual(inPath);
      for (const each of declared) expect(each.required).toBe(true);
    }
  });

  it('refers only to what it has, and repeats nothing', async () => {
    const doc = await document();
    const refs = refsOf(doc);
    expect(refs.length).toBeGreaterThan(20);
    for (const ref of new Set(refs)) {
      const [, name = ''] = /^#\/components\/schemas\/([\w.-]+)$/.exec(ref) ?? [];
      expect([ref, Object.hasOwn(doc.components.schemas, name)]).toEqual([ref, true]);
    }
    expect(JSON.stringify(doc)).not.toContain('schema-');
  });

  it('describes what is really answered', async () => {
    const app = await anApp();
    const doc = (await app.inject('/openapi.json')).json();
    for (const [path, schema] of [
      ['/internal/memory/status', 'MemwardenStatus'],
      ['/internal/memory/metrics', 'MemwardenReading'],
      ['/internal/memory/targets/self', 'MemwardenTarget'],
      ['/health/ready', 'MemwardenHealth'],
    ]) {
      const body = (await app.inject(path as string)).json();
      const { properties, required } = doc.components.schemas[schema as string];
      expect(Object.keys(body).sort()).toEqual(Object.keys(properties).sort());
      expect(required.sort()).toEqual(Object.keys(properties).sort());
    }
  });

  it('is the same in /docs', async () => {
    const app = await anApp();
    const page = await app.inject('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    const [docs, own] = [await app.inject('/docs/json'), await app.inject('/openapi.json')];
    expect(docs.json()).toEqual(own.json());
  });
});

describe('GET /', () => {
  it('lists places that are there', async () => {
    const app = await anApp();
    const home = await app.inject('/');
    expect(home.headers['content-type']).toBe('text/plain; charset=utf-8');
    const paths = [...home.body.matchAll(/^ {2}(\/\S+)/gm)].map(([, path]) => path as string);
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths.filter((each) => !each.endsWith('/stream'))) {
      expect([path, (await app.inject(path)).statusCode]).toEqual([path, 200]);
    }
  });
});
