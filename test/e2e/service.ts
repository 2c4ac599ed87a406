/** The built memwarden, as its users run it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusWire } from '../../src/http/status-schema.ts';
import { type Outcome, type Program, run, start } from './program.ts';

export const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'dist/cli/main.js');

const foreignVariables = Object.entries(process.env).filter(
  ([name]) => !name.startsWith('MEMWARDEN_') && name !== 'LOG_LEVEL',
);
/** The environment without what would configure memwarden. */
const ENV: NodeJS.ProcessEnv = Object.fromEntries(foreignVariables);

/** A directory of the test's own. */
export interface Scratch {
  readonly dir: string;
  /** Writes a file; returns its path. */
  file(name: string, content: string): string;
  remove(): void;
}

export function createScratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'memwarden-e2e-'));
  return {
    dir,
    file(name, content) {
      const path = join(dir, name);
      writeFileSync(path, content);
      return path;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs `memwarden …` to its end. */
export function memwarden(args: readonly string[], options: CommandOptions): Promise<Outcome> {
  const env = { ...ENV, ...options.env };
  return run(process.execPath, [MAIN, ...args], { cwd: options.cwd, env });
}

export interface Service extends Program {
  readonly url: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The parsed body of a GET that is answered with 200. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  status(target?: string): Promise<StatusWire>;
  /** The first line of the log, past or to come, that passes. */
  logged(passes: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

/** Starts `memwarden serve` on a free port with its data in `cwd`; resolves once it answers. */
export async function startService(
  options: CommandOptions & { args?: readonly string[]; policy?: string; dataDir?: string },
): Promise<Service> {
  const { cwd, policy, args = [], dataDir = join(cwd, 'data') } = options;
  if (policy !== undefined) writeFileSync(join(cwd, 'memory_policy.yaml'), policy);
  const all = [MAIN, '--port', '0', '--data-dir', dataDir, ...args];
  const program = await start(process.execPath, all, { cwd, env: { ...ENV, ...options.env } });
  const url = urlOf(await greetingOf(program));
  const call = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init);
  const json = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await call(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    ...program,
    url,
    fetch: call,
    get: (path) => json(path),
    post: (path, body) =>
      json(path, {
        method: 'POST',
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    status: (target) => json(`/internal/memory/status${target ? `?target=${target}` : ''}`),
    async logged(passes) {
      return JSON.parse(await program.stderr.find((line) => passes(JSON.parse(line))));
    },
  };
}

/** The line that a person sees at start. Rejects with the log when there is none. */
async function greetingOf(program: Program): Promise<string> {
  return program.stdout
    .find(() => true)
    .catch(async () => {
      await program.exit;
      throw new Error(`memwarden did not start:\n${program.stderr.all.join('\n')}`);
    });
}

const urlOf = (greeting: string): string => {
  const [url] = /http:\/\/[^ ]+/.exec(greeting) ?? [];
  if (url === undefined) throw new Error(`no URL in: ${greeting}`);
  return url;
};
