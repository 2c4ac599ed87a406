// Writes what is generated: openapi/openapi.yaml and docs/reference/. Run by `npm run docs`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../dist/app.js';
import { parsePolicy } from '../dist/policy/load.js';

async function writeOpenApi() {
  const dataDir = mkdtempSync(join(tmpdir(), 'memwarden-docs-'));
  const app = await buildApp({ policy: parsePolicy('', { flags: { dataDir }, env: {} }) });
  await app.ready();
  mkdirSync('openapi', { recursive: true });
  writeFileSync('openapi/openapi.yaml', app.swagger({ yaml: true }));
  await app.close();
  rmSync(dataDir, { recursive: true });
}

await writeOpenApi();
for (const script of ['docs-config.mjs', 'docs-reference.mjs']) {
  execFileSync(process.execPath, [join(import.meta.dirname, script)], { stdio: 'inherit' });
}
