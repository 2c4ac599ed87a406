/**
 * What this scope reads of a body: JSON of at most 64 KiB, whatever a host application allows and
 * whichever types it parses. An empty one is no body, because many clients name the type always.
 */
import type { FastifyInstance } from 'fastify';

export const BODY_LIMIT_BYTES = 64 * 1024;

export function useJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => (body === '' ? done(null, null) : parseJson(request, body, done)),
  );
}
