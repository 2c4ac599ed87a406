/**
 * The process whose memory is recorded for test/fixtures: a plain Node HTTP service with a session
 * cache, JSON bodies and buffers, whose load comes in waves. It answers `sample` with what only it
 * can see of itself.
 */
import { createServer, get } from 'node:http';
import { constants, PerformanceObserver } from 'node:perf_hooks';

const sessions = new Map();
const gc = { minor: 0, major: 0, pauseUs: 0 };
let latenessUs = 0;

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) gc.minor += 1;
    else gc.major += 1;
    gc.pauseUs += Math.round(entry.duration * 1000);
  }
}).observe({ entryTypes: ['gc'] });

let due = performance.now() + 500;
setInterval(() => {
  latenessUs = Math.max(latenessUs, Math.round((performance.now() - due) * 1000));
  due = performance.now() + 500;
}, 500);

const server = createServer((request, response) => {
  const id = request.url ?? '';
  const rows = Array.from({ length: 200 }, (_, n) => ({ n, id, text: `row ${n} of ${id}` }));
  sessions.set(id, { rows, scratch: Buffer.alloc(4096), seenMs: Date.now() });
  response.end(JSON.stringify(rows));
});

setInterval(() => {
  const oldestMs = Date.now() - 30_000;
  for (const [id, session] of sessions) if (session.seenMs < oldestMs) sessions.delete(id);
}, 5_000);

function request(port) {
  get({ port, path: `/user/${Math.floor(Math.random() * 3000)}` }, (response) => response.resume());
}

/** Load: a slow wave of 2 to 40 requests a second, with a quiet quarter in every four minutes. */
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const loop = () => {
    const phase = (performance.now() / 240_000) % 1;
    const perSecond = phase > 0.75 ? 0.5 : 2 + 38 * Math.sin((phase / 0.75) * Math.PI);
    setTimeout(loop, (-Math.log(1 - Math.random()) * 1000) / perSecond);
    request(port);
  };
  loop();
});

process.on('message', () => {
  const memory = process.memoryUsage();
  process.send?.({ memory, gc, latenessUs });
  latenessUs = 0;
});
process.on('disconnect', () => process.exit(0));
