import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endPrograms, run } from './program.ts';
import { createScratch, ROOT, type Scratch } from './service.ts';

interface Packed {
  filename: string;
  files: { path: string }[];
}

let scratch: Scratch;
let packed: Packed;
let tarball: string;

const inProject = (program: string, ...args: string[]) => run(program, args, { cwd: ROOT });

/** Installs the tarball with nothing but the dependencies it declares: another one would be missing. */
async function install(app: string): Promise<void> {
  const modules = join(app, 'node_modules');
  const home = join(modules, 'memwarden');
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', home]);
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
}

beforeAll(async () => {
  scratch = createScratch();
  // dist/ is built already, and other tests run it.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch.dir];
  const { stdout } = await inProject('npm', ...pack);
  [packed] = JSON.parse(stdout) as [Packed];
  tarball = join(scratch.dir, packed.filename);
});
afterAll(async () => {
  await endPrograms();
  scratch.remove();
});

describe('the package', () => {
  it('holds what runs and what is read, and no source, test or bench', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'LICENSE']) {
      expect(paths).toContain(path);
    }
    const allowed =
      /^(dist\/.+\.(js|d\.ts|js\.map)|dist\/web\/.+|openapi\/.+|[^/]+\.(json|md|yaml)|LICENSE)$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
    expect(paths.filter((path) => /(^|\/)(test|src|bench)\//.test(path))).toEqual([]);
  });

  it('is imported with the dependencies it declares', async () => {
    const app = join(scratch.dir, 'app');
    await install(app);
    const script = `
      import Fastify from 'fastify';
      import plugin, { buildApp, createWarden, memwarden, parsePolicy } from 'memwarden';
      if (plugin !== memwarden || typeof createWarden !== 'function') throw new Error('exports');
      const policy = parsePolicy('', { flags: { dataDir: './data' } });
      const host = Fastify();
      await host.register(plugin, { policy });
      const answer = await host.inject('/internal/memory/status');
      await host.close();
      const service = await buildApp({ policy });
      const health = await service.inject('/health/live');
      await service.close();
      console.log(answer.statusCode, health.statusCode);
    `;
    const args = ['--input-type=module', '--eval', script];
    const { code, stdout, stderr } = await run(process.execPath, args, { cwd: app });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '200 200', stderr: '' });
  });

  it('has a command that starts by itself', async () => {
    const main = join(scratch.dir, 'app/node_modules/memwarden/dist/cli/main.js');
    expect(await run(main, ['--version'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('is what publint and attw ask for', async () => {
    const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);
    const lint = await inProject(bin('publint'), tarball, '--strict');
    expect(lint.code, lint.stdout + lint.stderr).toBe(0);
    const types = await inProject(bin('attw'), tarball, '--profile', 'esm-only');
    expect(types.code, types.stdout + types.stderr).toBe(0);
  });
});
