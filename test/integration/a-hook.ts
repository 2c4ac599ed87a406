/** A real HTTP server for cleaners to call; it remembers what it was sent. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Hook {
  readonly url: string;
  readonly bodies: readonly string[];
}

const running = new Set<Server>();

/** @param answer called once the body was read; one that never ends the response hangs */
export async function aHook(answer: RequestListener): Promise<Hook> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await text(request));
    answer(request, response);
  });
  running.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/trim`, bodies };
}

/** For afterEach. */
export function endHooks(): void {
  for (const server of running) {
    server.closeAllConnections();
    server.close();
  }
  running.clear();
}
