/**
 * Who may call when there is no token: only this machine. Reads are open, writes must not come from
 * a foreign page, and `Host` must be a name of ours, so that a rebound DNS name reaches nothing.
 * The peer's address counts too, because a host application may listen to the world.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { codes } from '../errors.ts';
import { isLoopback } from '../policy/url.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The name in a Host header, without its port, lower case. '' when there is none. */
export function hostName(header: string | undefined): string {
  if (!header) return '';
  const bracketed = /^(\[[^\]]*\])(:\d+)?$/.exec(header);
  return (bracketed?.[1] ?? header.replace(/:\d+$/, '')).toLowerCase();
}

export interface GuardOptions {
  readonly allowedHosts: readonly string[];
}

function checkPeer(request: FastifyRequest): void {
  const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  if (isLoopback(address)) return;
  throw new codes.MEM_FORBIDDEN_HOST(
    'Without a token only this machine may call. Set MEMWARDEN_TOKEN to allow others.',
  );
}

function checkHost(request: FastifyRequest, allowed: ReadonlySet<string>): void {
  const name = hostName(request.headers.host);
  if (name !== '' && (isLoopback(name) || allowed.has(name))) return;
  throw new codes.MEM_FORBIDDEN_HOST(
    `Host "${name.slice(0, 100)}" is not served here. Use a loopback name, or add it to server.allowed_hosts.`,
  );
}

function checkOrigin(request: FastifyRequest): void {
  if (SAFE_METHODS.has(request.method)) return;
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const foreignOrigin =
    origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (!foreignSite && !foreignOrigin) return;
  throw new codes.MEM_FORBIDDEN_ORIGIN(
    'A write from another web page is refused. Call it from the command line or the dashboard.',
  );
}

/** Adds the checks to every route of this scope. Cost: a few string compares. */
export function useGuard(app: FastifyInstance, options: GuardOptions): void {
  const allowed = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
  // Not async: nothing here waits.
  app.addHook('onRequest', (request, _reply, done) => {
    checkPeer(request);
    checkHost(request, allowed);
    checkOrigin(request);
    done();
  });
}
