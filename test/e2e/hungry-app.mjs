// An application that holds memory: POST /eat?mb=N takes it, POST /trim lets it go.
// node --expose-gc hungry-app.mjs PORT [PID_FILE]
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, pidFile] = process.argv.slice(2);
let held = [];

const eat = (megabytes) => {
  // Written to, so that it is resident.
  held.push(...Array.from({ length: megabytes }, () => Buffer.alloc(2 ** 20, 1)));
  return {};
};

const trim = () => {
  const freed = held.length * 2 ** 20;
  const items = held.length;
  held = [];
  globalThis.gc();
  return { freed_bytes: freed, items };
};

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const answer = url.pathname === '/eat' ? eat(Number(url.searchParams.get('mb'))) : trim();
  response.end(JSON.stringify(answer));
});
server.listen(Number(port), '127.0.0.1', () => {
  if (pidFile) writeFileSync(pidFile, `${process.pid}\n`);
  console.log(server.address().port);
});
