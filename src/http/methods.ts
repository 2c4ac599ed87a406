/**
 * A method that a path does not have is told so, with those it has (RFC 9110, 15.5.6), and not that
 * nothing is there. For the whole service only: what else a host application has is its own to say.
 */
import type { FastifyInstance } from 'fastify';
import { codes } from '../errors.ts';

/** Registers for the routes added after it. Cost: one check a request; a walk over all routes for a 404. */
export function useMethodProblem(app: FastifyInstance): void {
  const methodsByUrl = new Map<string, Set<string>>();
  const patterns = new Map<string, RegExp>();
  app.addHook('onRoute', ({ method, url }) => {
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    methodsByUrl.set(url, methods);
    patterns.set(url, patternOf(url));
  });

  const methodsOf = (path: string): string[] => {
    const urls = [...patterns].filter(([, pattern]) => pattern.test(path)).map(([url]) => url);
    const methods = urls.flatMap((url) => [...(methodsByUrl.get(url) ?? [])]);
    return [...new Set(methods)].sort();
  };

  // Before a body is read, because of no type is it right.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done();
      return;
    }
    const path = pathOf(request.url);
    const methods = methodsOf(path);
    if (methods.length === 0 || methods.includes(request.method)) {
      done();
      return;
    }
    reply.header('allow', methods.join(', '));
    const detail = `${path} has no ${request.method}. It has: ${methods.join(', ')}.`;
    done(new codes.MEM_METHOD_NOT_ALLOWED(detail));
  });
}

/** As the router reads it: without the query, and decoded but for what would then be a delimiter. */
function pathOf(url: string): string {
  const [path = ''] = url.split(/[?#]/);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** `:name` is one segment, `*` is all the rest. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+|\*)/).map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}
