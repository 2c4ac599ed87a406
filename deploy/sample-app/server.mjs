// An application with a leak that can be switched on: POST /leak?mb=10 keeps 10 MB, POST /free lets
// go of all of it, GET / says how much is kept. It needs nothing but Node.

import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MEGABYTE = 1_000_000;
const MAX_LEAK_MB = 1_024;

const kept = [];

const leak = (request) => {
  const megabytes = Number(new URL(request.url, 'http://app').searchParams.get('mb') ?? 10);
  if (!(megabytes > 0 && megabytes <= MAX_LEAK_MB)) return { status: 400 };
  // Filled, because memory that was never written is not resident.
  kept.push(Buffer.alloc(Math.round(megabytes * MEGABYTE), 1));
  return { status: 200 };
};

// Collected at once, so that freed memory is seen to go back; an application would leave it to V8.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const free = () => {
  kept.length = 0;
  collect();
  return { status: 200 };
};

const routes = new Map([
  ['GET /', () => ({ status: 200 })],
  ['POST /leak', leak],
  ['POST /free', free],
]);

const server = createServer((request, response) => {
  const [path] = request.url.split('?');
  const route = routes.get(`${request.method} ${path}`);
  const { status } = route === undefined ? { status: 404 } : route(request);
  const keptBytes = kept.reduce((total, block) => total + block.length, 0);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ pid: process.pid, kept_bytes: keptBytes })}\n`);
});

process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});

server.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '0.0.0.0', () => {
  console.log(`sample application on port ${server.address().port}`);
});
