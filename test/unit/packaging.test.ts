import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parsePolicy } from '../../src/policy/load.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Instruction {
  keyword: string;
  rest: string;
}

/** The instructions of each stage: comments gone, continued lines joined. */
const parseDockerfile = (text: string): Instruction[][] => {
  const stages: Instruction[][] = [];
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '');
  for (const line of joined.split('\n').filter((one) => one.trim() !== '')) {
    const [, keyword = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === 'FROM') stages.push([]);
    stages.at(-1)?.push({ keyword, rest });
  }
  return stages;
};

const stages = parseDockerfile(read('Dockerfile'));
const image = stages.at(-1) ?? [];
const only = (keyword: string): string => {
  const found = image.filter((instruction) => instruction.keyword === keyword);
  expect(found.length, `${keyword} instructions of the image`).toBe(1);
  return found[0]?.rest ?? '';
};
const copied = (stage: Instruction[]): string[] =>
  stage
    .filter(({ keyword, rest }) => keyword === 'COPY' && !rest.startsWith('--from'))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1));

describe('Dockerfile', () => {
  it('builds in one stage and runs in another, both on node:24-slim', () => {
    expect(stages.map(([from]) => from?.rest)).toEqual(['node:24-slim AS build', 'node:24-slim']);
  });

  it('has nothing but instructions that Docker knows', () => {
    const known =
      /^(FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/;
    for (const { keyword } of stages.flat()) expect(keyword).toMatch(known);
  });

  it('copies only what exists and what .dockerignore lets through', () => {
    const [excluded, ...admitted] = read('.dockerignore').trim().split('\n');
    expect(excluded).toBe('*');
    const sources = stages.flatMap(copied);
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(admitted).toContain(`!${source}`);
    }
  });

  it('installs from the lock file and leaves development dependencies behind', () => {
    const runs = (stages[0] ?? []).filter(({ keyword }) => keyword === 'RUN');
    expect(runs[0]?.rest).toMatch(/^npm ci\b/);
    expect(runs.at(-1)?.rest).toMatch(/npm run build && npm prune --omit=dev/);
  });

  it('does not run as root, and owns its volume', () => {
    expect(only('USER')).toBe('node');
    const volume = only('VOLUME');
    expect(image[1]?.rest).toContain(`install -d -o node -g node ${volume}`);
    expect(JSON.parse(only('CMD'))).toContain(volume);
  });

  it('has an init that passes SIGTERM on, and starts the command the package declares', () => {
    expect(only('STOPSIGNAL')).toBe('SIGTERM');
    const { bin } = JSON.parse(read('package.json'));
    const [init, ...rest] = JSON.parse(only('ENTRYPOINT'));
    expect(init).toBe('tini');
    expect(`./${rest.at(-1)}`).toBe(bin.memwarden);
    expect(image[1]?.rest).toContain('apt-get install -y --no-install-recommends tini');
  });

  it('bakes no secret in', () => {
    expect(image.filter(({ keyword }) => keyword === 'ENV')).toEqual([
      { keyword: 'ENV', rest: 'NODE_ENV=production' },
    ]);
  });
});

describe('the health check of the image', () => {
  const [command = '', ...args] = JSON.parse(only('HEALTHCHECK').replace(/^.*? CMD /, ''));

  const exitCode = async (port: number): Promise<number> => {
    const check = spawn(command, args, {
      env: { ...process.env, MEMWARDEN_PORT: String(port) },
      stdio: 'ignore',
    });
    const [code] = await once(check, 'exit');
    return code;
  };

  const withAnswer = async (status: number, use: (port: number) => Promise<void>) => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/health/live' ? status : 404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await use((server.address() as AddressInfo).port);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  };

  it.each([
    [200, 0],
    [503, 1],
    [404, 1],
  ])('sees HTTP %i and exits with %i', async (status, code) => {
    await withAnswer(status, async (port) => expect(await exitCode(port)).toBe(code));
  });

  it('exits with 1 when nobody listens', async () => {
    let closedPort = 0;
    await withAnswer(200, async (port) => {
      closedPort = port;
    });
    expect(await exitCode(closedPort)).toBe(1);
  });
});

describe('docker-compose.yml', () => {
  const { services, volumes } = parse(read('docker-compose.yml'));
  const names = Object.keys(services);

  it('runs memwarden beside the application, and a Prometheus stack', () => {
    expect(names).toEqual(['app', 'memwarden', 'prometheus', 'alertmanager', 'grafana']);
    expect(services.memwarden).toMatchObject({
      build: '.',
      pid: 'service:app',
      network_mode: 'service:app',
    });
  });

  it.each(names)(
    'gives %s a memory limit and a pinned image, and publishes on loopback',
    (name) => {
      const { mem_limit, image: reference, build, ports = [] } = services[name];
      expect(mem_limit).toMatch(/^\d+m$/);
      expect(reference ?? build).toMatch(/^(\.|[a-z/]+:v?\d[\w.-]*)$/);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    },
  );

  it('mounts only files that exist and volumes that are declared', () => {
    for (const name of names) {
      for (const mount of services[name].volumes ?? []) {
        const [source] = mount.split(':');
        if (source.startsWith('./')) expect(existsSync(join(ROOT, source)), source).toBe(true);
        else expect(Object.keys(volumes)).toContain(source);
      }
    }
  });

  it('asks for the token instead of carrying one', () => {
    expect(services.memwarden.environment.MEMWARDEN_TOKEN).toMatch(/^\$\{MEMWARDEN_TOKEN:\?.+\}$/);
  });

  it('lets the sidecar read what only the owner of a process may', () => {
    expect(services.app.user).toBe(only('USER'));
  });
});

describe('the policy of docker-compose.yml', () => {
  const file = 'deploy/memory_policy.yaml';
  const policy = parsePolicy(read(file), {
    source: file,
    env: { MEMWARDEN_TOKEN: 'x'.repeat(64) },
    flags: { host: '0.0.0.0' },
  });

  it('is valid, and asks for nothing that does not work yet', () => {
    expect(policy.notAvailableYet).toEqual([]);
    expect(policy.targets.map(({ match }) => match)).toEqual([{ port: 3000 }]);
    expect(policy.server.protectMetrics).toBe(false);
  });
});

describe('the sample application', () => {
  it('keeps what is leaked, frees it, refuses nonsense and stops on SIGTERM', async () => {
    const app = spawn(process.execPath, [join(ROOT, 'deploy/sample-app/server.mjs')], {
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(app, 'exit');
    try {
      const [line] = await once(createInterface(app.stdout), 'line');
      const url = `http://127.0.0.1:${/\d+$/.exec(line)?.[0]}`;
      const call = async (method: string, path: string) => {
        const response = await fetch(url + path, { method });
        const { kept_bytes } = (await response.json()) as { kept_bytes: number };
        return [response.status, kept_bytes];
      };
      expect(await call('GET', '/')).toEqual([200, 0]);
      expect(await call('POST', '/leak?mb=2')).toEqual([200, 2_000_000]);
      expect(await call('POST', '/leak')).toEqual([200, 12_000_000]);
      for (const size of ['-1', '0', '1e9', 'x']) {
        expect(await call('POST', `/leak?mb=${size}`)).toEqual([400, 12_000_000]);
      }
      expect(await call('GET', '/leak')).toEqual([404, 12_000_000]);
      expect(await call('POST', '/free')).toEqual([200, 0]);
      app.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    } finally {
      app.kill('SIGKILL');
    }
  });
});
