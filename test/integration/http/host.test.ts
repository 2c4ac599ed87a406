import os from 'node:os';
import { expect, it } from 'vitest';
import { anApp } from '../an-app.ts';

it('says what the machine is, and why for whatever it cannot say', async () => {
  const app = await anApp();
  const host = (await app.inject('/internal/memory/host')).json();
  expect(host).toMatchObject({
    kernel: os.release(),
    arch: process.arch,
    cpus: os.availableParallelism(),
    memory_bytes: os.totalmem(),
  });
  const explained = host.unknown.map(({ metric }: { metric: string }) => metric);
  for (const [name, metric] of [
    ['os', 'host.os'],
    ['cpu_model', 'host.cpu_model'],
    ['virtualization', 'host.virtualization'],
  ]) {
    if (host[name as string] === null) expect(explained).toContain(metric);
    else expect(host[name as string]).toEqual(expect.any(String));
  }
});
