// Compiles src/ into an empty dist/, so that a file that was renamed leaves nothing behind, and folds
// TypeBox into one module.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
chmodSync('dist/cli/main.js', 0o755);

const folded = 'dist/typebox.js';
const bundle = await rolldown({ input: folded, platform: 'node' });
await bundle.write({ file: folded, format: 'esm' });
await bundle.close();
