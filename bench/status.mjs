// Requests per second of GET /internal/memory/status against a Fastify route that serialises a
// constant with a schema, on the same machine in the same run, rounds interleaved.
// Run after a build: node bench/status.mjs

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import Fastify from 'fastify';
import { buildApp } from '../dist/app.js';
import { parsePolicy } from '../dist/policy/load.js';

const ROUNDS = 5;
const SECONDS = 3;
const WANTED = 0.6;

const constantApp = () => {
  const app = Fastify();
  const response = {
    200: {
      type: 'object',
      properties: { hello: { type: 'string' }, count: { type: 'integer' } },
    },
  };
  app.get('/', { schema: { response } }, async () => ({ hello: 'world', count: 42 }));
  return app;
};

const load = async (url) => {
  const { requests, non2xx } = await autocannon({ url, connections: 10, duration: SECONDS });
  if (non2xx > 0) throw new Error(`${url}: ${non2xx} answers were not 2xx`);
  return requests.average;
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const dataDir = mkdtempSync(join(tmpdir(), 'memwarden-bench-'));
const ours = await buildApp({ policy: parsePolicy('', { flags: { dataDir }, env: {} }) });
const peer = constantApp();
const ourUrl = `${await ours.listen({ port: 0, host: '127.0.0.1' })}/internal/memory/status`;
const peerUrl = await peer.listen({ port: 0, host: '127.0.0.1' });

const rates = { ours: [], peer: [] };
for (let round = 0; round < ROUNDS; round++) {
  rates.peer.push(await load(peerUrl));
  rates.ours.push(await load(ourUrl));
}
await Promise.all([ours.close(), peer.close()]);
rmSync(dataDir, { recursive: true });

const ratio = median(rates.ours) / median(rates.peer);
const ok = ratio >= WANTED;
console.log(
  `${ok ? 'ok  ' : 'MISS'} status ${median(rates.ours).toFixed(0)} req/s, constant ${median(rates.peer).toFixed(0)} req/s, ratio ${ratio.toFixed(2)} (at least ${WANTED})`,
);
process.exit(ok ? 0 : 1);
