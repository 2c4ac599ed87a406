import type { ServerResponse } from 'node:http';
import type { CollectEvent } from '../collect/collector.ts';
import type { Reading } from '../collect/reading.ts';
import { codes } from '../errors.ts';
import type { CleanupRun } from '../respond/cleanup.ts';
import type { AlertEvent } from '../warden.ts';
import { cleanupView } from './cleanup.ts';
import { statusOfAll } from './overall.ts';
import type { RouteScope, TypedApp } from './scope.ts';
import { ruleView } from './status-view.ts';
import { targetView } from './target-view.ts';

const MAX_CLIENTS = 64;
/** Events kept for `Last-Event-ID`; samples are not, since the next one is a second away. */
const REPLAYED_EVENTS = 500;
/** A client that has let this much pile up has gone; it may come back with its Last-Event-ID. */
const MAX_BACKLOG_BYTES = 1 << 20;
/** What is replayed at once must not look like a client that lets it pile up. */
const MAX_REPLAYED_CHARS = MAX_BACKLOG_BYTES / 4;
const RETRY_MS = 2_000;

interface Kept {
  readonly id: number;
  readonly frame: string;
}

const frameOf = (event: string, data: unknown, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/**
 * GET /internal/memory/stream: server-sent events `sample`, `alert`, `action` and `target`.
 * A slow client loses samples, never alerts or actions; one that is stuck is let go.
 */
export async function streamRoutes(app: TypedApp, { warden }: RouteScope): Promise<void> {
  const clients = new Set<ServerResponse>();
  const kept: Kept[] = [];
  let keptChars = 0;
  // Ids go on over a restart, so that a client with an old id is not shown old news as new.
  let lastId = warden.startedAtMs * 1000;

  const drop = (client: ServerResponse): void => {
    clients.delete(client);
    client.destroy();
  };
  const sendTo = (client: ServerResponse, frame: string): void => {
    if (client.writableLength > MAX_BACKLOG_BYTES) drop(client);
    else client.write(frame);
  };
  const keep = (event: Kept): void => {
    kept.push(event);
    keptChars += event.frame.length;
    while (kept.length > REPLAYED_EVENTS || keptChars > MAX_REPLAYED_CHARS) {
      keptChars -= kept.shift()?.frame.length ?? 0;
    }
  };
  const publish = (event: string, data: unknown): void => {
    lastId++;
    const frame = frameOf(event, data, lastId);
    keep({ id: lastId, frame });
    for (const client of clients) sendTo(client, frame);
  };

  const onSample = (timeMs: number): void => {
    if (clients.size === 0) return;
    const frame = frameOf('sample', {
      timestamp: new Date(timeMs).toISOString(),
      status: statusOfAll(warden),
      targets: warden.states().map((state) => targetView(warden, state)),
    });
    for (const client of clients) if (!client.writableNeedDrain) client.write(frame);
  };
  const onAlert = ({ event, instance, message }: AlertEvent): void =>
    publish('alert', { ...ruleView(instance), event, message });
  const onAction = (run: CleanupRun<Reading>): void => publish('action', cleanupView(run));
  const onTarget = ({ timeMs, ...event }: CollectEvent): void =>
    publish('target', { ...event, timestamp: new Date(timeMs).toISOString() });

  warden.events.on('sample', onSample);
  warden.events.on('alert', onAlert);
  warden.events.on('action', onAction);
  warden.events.on('target', onTarget);
  // preClose and not onClose: an open stream would keep the server from closing.
  app.addHook('preClose', async () => {
    warden.events.off('sample', onSample);
    warden.events.off('alert', onAlert);
    warden.events.off('action', onAction);
    warden.events.off('target', onTarget);
    for (const client of clients) client.end();
    clients.clear();
  });

  app.get(
    '/stream',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'stream',
        summary: 'Server-sent events: sample, alert, action, target',
        tags: ['memory'],
        produces: ['text/event-stream'],
      },
    },
    (request, reply) => {
      if (clients.size >= MAX_CLIENTS) {
        throw new codes.MEM_TOO_MANY_REQUESTS(`${MAX_CLIENTS} streams are open; close one first.`);
      }
      const since = Number(request.headers['last-event-id'] || Number.NaN);
      reply.hijack();
      const client = reply.raw;
      client.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      client.on('close', () => clients.delete(client));
      client.on('error', () => clients.delete(client));
      client.write(`retry: ${RETRY_MS}\n\n`);
      for (const { id, frame } of kept) if (id > since) client.write(frame);
      clients.add(client);
    },
  );
}
