import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const OPTIONS = `--ignoreConfig --target es2023 --lib es2023 --types node --module nodenext
  --rewriteRelativeImportExtensions --skipLibCheck`;

/** Compiles src/ledger below `dir`, for real child processes: Node 20 does not run TypeScript. */
export function compileLedger(dir: string): string {
  const outDir = join(dir, 'compiled');
  mkdirSync(outDir, { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(outDir, 'node_modules'));
  writeFileSync(join(outDir, 'package.json'), '{"type":"module"}');
  const sources = ['database', 'segment-store'].map((name) => `src/ledger/${name}.ts`);
  const args = [...OPTIONS.split(/\s+/), '--rootDir', 'src', '--outDir', outDir, ...sources];
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), args, { cwd: ROOT });
  return outDir;
}

/** A Node process that runs `script` as a module with the compiled ledger as its directory. */
export function runChild(compiledDir: string, script: string): ChildProcess {
  const path = join(compiledDir, `child-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(path, script);
  return spawn(process.execPath, [path], { stdio: ['pipe', 'pipe', 'inherit'] });
}
