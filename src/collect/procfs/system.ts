/**
 * Host memory: /proc/meminfo, /proc/vmstat and /proc/pressure/memory. Inside a container these stay
 * the host's figures; the container's own are in its cgroup.
 *
 * Cost: three preads, about 30 µs, most of it the kernel's for vmstat.
 */
import type { Unknown } from '../reading.ts';
import type { SystemFigures, SystemSource } from '../world.ts';
import { keysOf, readHundredths, readKeyed } from './bytes.ts';
import { describeProblem, type ProcFile, type ProcFiles } from './files.ts';

const KIB = 1_024;
const MEMINFO_KEYS = keysOf('MemTotal:', 'MemAvailable:', 'SwapTotal:', 'SwapFree:');
const VMSTAT_KEYS = keysOf('pswpin ', 'pswpout ', 'oom_kill ');
const [PSI_SOME, PSI_FULL] = keysOf('some avg10=', 'full avg10=') as [Uint8Array, Uint8Array];

export function createSystem(files: ProcFiles, procRoot: string): SystemSource {
  const meminfo = files.file(`${procRoot}/meminfo`);
  const vmstat = files.file(`${procRoot}/vmstat`);
  const pressure = files.file(`${procRoot}/pressure/memory`);
  const values = new Float64Array(4);
  const figures = unknownFigures();
  let hasPressure = true;

  const sampleMeminfo = (): void => {
    readKeyed({ bytes: files.bytes, end: files.read(meminfo) }, MEMINFO_KEYS, values);
    figures.totalBytes = values[0]! * KIB;
    figures.availableBytes = values[1]! * KIB;
    figures.swapUsedBytes = (values[2]! - values[3]!) * KIB;
  };

  const sampleVmstat = (): void => {
    readKeyed({ bytes: files.bytes, end: files.read(vmstat) }, VMSTAT_KEYS, values);
    figures.swapInPages = values[0]!;
    figures.swapOutPages = values[1]!;
    figures.oomKills = values[2]!;
  };

  const samplePressure = (): void => {
    const end = hasPressure ? files.read(pressure) : -1;
    // a kernel without PSI does not grow it: asking each second for ever is waste
    hasPressure = end > 0 || pressure.problem === 'EMFILE';
    figures.psiSomeX100 = avg10(files.bytes, end, PSI_SOME);
    figures.psiFullX100 = avg10(files.bytes, end, PSI_FULL);
  };

  return {
    figures,
    get unknown() {
      return [
        ...reasons(figures, meminfo, MEMINFO_METRICS),
        ...reasons(figures, vmstat, VMSTAT_METRICS),
        ...(Number.isNaN(figures.psiSomeX100) ? PSI_UNKNOWN : []),
      ];
    },
    sample() {
      sampleMeminfo();
      sampleVmstat();
      samplePressure();
    },
  };
}

/** `some avg10=0.12 avg60=…`: the share of the last ten seconds, in hundredths of a percent. */
function avg10(bytes: Buffer, end: number, key: Uint8Array): number {
  const at = end > 0 ? bytes.indexOf(key) : -1;
  return at < 0 || at >= end ? Number.NaN : readHundredths(bytes, at + key.length, end);
}

export const unknownFigures = (): SystemFigures => ({
  totalBytes: Number.NaN,
  availableBytes: Number.NaN,
  swapUsedBytes: Number.NaN,
  psiSomeX100: Number.NaN,
  psiFullX100: Number.NaN,
  swapInPages: Number.NaN,
  swapOutPages: Number.NaN,
  oomKills: Number.NaN,
});

type Metrics = Partial<Record<keyof SystemFigures, string>>;

const MEMINFO_METRICS: Metrics = {
  totalBytes: 'system.total_bytes',
  availableBytes: 'system.available_bytes',
  swapUsedBytes: 'system.swap_used_bytes',
};
const VMSTAT_METRICS: Metrics = {
  swapInPages: 'system.swap_in_pages',
  swapOutPages: 'system.swap_out_pages',
  oomKills: 'system.oom_kills',
};
const PSI_UNKNOWN: Unknown[] = ['system.psi.some_avg10', 'system.psi.full_avg10'].map((metric) => ({
  metric,
  reason: 'kernel without PSI',
}));

function reasons(figures: SystemFigures, file: ProcFile, metrics: Metrics): Unknown[] {
  const names = Object.keys(metrics) as (keyof SystemFigures)[];
  const reason =
    file.problem === null
      ? `${file.path} does not say`
      : `${file.path}: ${describeProblem(file.problem)}`;
  return names
    .filter((name) => Number.isNaN(figures[name]))
    .map((name) => ({ metric: metrics[name] as string, reason }));
}
