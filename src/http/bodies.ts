/**
 * What this scope reads of a body: JSON of at most 64 KiB, whatever a host application allows and
 * whichever types it parses. An empty one is no body, because many clients name the type always.
 */
import type { FastifyInstance } from 'fastify';
import { codes } from '../errors.ts';

export const BODY_LIMIT_BYTES = 64 * 1024;

const POISON =
  'The body has a key "__proto__", or a "constructor" with a "prototype": such keys are refused, choose another name.';

export function useJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      if (body === '') {
        done(null, null);
        return;
      }
      parseJson(request, body, (error, value) => {
        done(error && isJson(body) ? new codes.MEM_BAD_REQUEST(POISON) : error, value);
      });
    },
  );
}

/** The parser says the same of bad JSON and of good JSON that it refuses. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
