/**
 * What does not change while the host runs, from systeminformation, which knows every platform.
 * Cost: 0.1–1 s and a few child processes, which is why it is asked once and never in a tick.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { HostFacts, Unknown } from './reading.ts';

/** Never rejects: what cannot be found out is null, and `unknown` says why. */
export async function readHostFacts(): Promise<HostFacts> {
  // 700 KB of source that a service which is never asked need not hold.
  const { default: si } = await import('systeminformation');
  const unknown: Unknown[] = [];
  const orNull = async <T>(metric: string, asked: Promise<T>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      unknown.push({ metric, reason: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  const [system, cpu, host] = await Promise.all([
    orNull('host.os', si.osInfo()),
    orNull('host.cpu_model', si.cpu()),
    orNull('host.virtualization', si.system()),
  ]);
  return {
    os: system && `${system.distro} ${system.release}`.trim(),
    kernel: os.release(),
    arch: process.arch,
    cpuModel: cpu && `${cpu.manufacturer} ${cpu.brand}`.trim(),
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    virtualization: host && (host.virtual ? host.virtualHost || 'unknown hypervisor' : ''),
    container: containerKind(),
    unknown,
  };
}

/** By the marks container runtimes leave. */
function containerKind(): string | null {
  if (process.env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  if (fs.existsSync('/run/.containerenv')) return 'podman';
  if (fs.existsSync('/.dockerenv')) return 'docker';
  return process.env.container ?? null;
}
