/** A /proc and a cgroup tree on disk, in the kernel's formats. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface FakeProcess {
  readonly pid: number;
  readonly ppid?: number;
  readonly comm?: string;
  readonly state?: string;
  readonly command?: readonly string[];
  readonly startTicks?: number;
  readonly rssPages?: number;
  readonly cpuTicks?: number;
  readonly threads?: number;
  readonly swapKib?: number;
  readonly cgroup?: string;
}

export interface FakeProc {
  readonly root: string;
  readonly procRoot: string;
  readonly cgroupRoot: string;
  /** Writes any file below the root, making its directories. */
  write(name: string, text: string): void;
  process(fake: FakeProcess): void;
  remove(pid: number): void;
  close(): void;
}

export function statLine(fake: FakeProcess): string {
  const { pid, comm = 'fake', state = 'S', ppid = 1, cpuTicks = 0, threads = 1 } = fake;
  const before = [ppid, pid, pid, 0, -1, 4194304, 10, 0, 0, 0, cpuTicks, 0, 0, 0, 20, 0];
  const after = [
    threads,
    0,
    fake.startTicks ?? 100,
    3133440,
    fake.rssPages ?? 1,
    '18446744073709551615',
  ];
  return `${pid} (${comm}) ${state} ${[...before, ...after].join(' ')} 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0\n`;
}

export function createFakeProc(): FakeProc {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'memwarden-proc-'));
  const write = (name: string, text: string): void => {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  };
  write(
    'proc/meminfo',
    'MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable:  6000 kB\nSwapTotal: 100 kB\nSwapFree:   40 kB\n',
  );
  write('proc/vmstat', 'nr_free_pages 5\npswpin 7\npswpout 8\noom_kill 2\n');
  write(
    'proc/pressure/memory',
    'some avg10=1.25 avg60=0.10 avg300=0.00 total=1\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=0\n',
  );
  write('proc/sys/kernel/random/boot_id', 'boot-1\n');
  fs.mkdirSync(path.join(root, 'cgroup'));
  return {
    root,
    procRoot: path.join(root, 'proc'),
    cgroupRoot: path.join(root, 'cgroup'),
    write,
    process(fake) {
      const at = `proc/${fake.pid}`;
      write(`${at}/stat`, statLine(fake));
      write(`${at}/cmdline`, [...(fake.command ?? ['fake']), ''].join('\0'));
      write(`${at}/status`, `VmHWM:\t  100 kB\nVmSwap:\t  ${fake.swapKib ?? 0} kB\n`);
      write(
        `${at}/smaps_rollup`,
        '0-1 ---p 0 00:00 0 [rollup]\nRss:  8 kB\nPss:  4 kB\nPss_Dirty: 1 kB\n',
      );
      write(`${at}/cgroup`, `0::${fake.cgroup ?? '/'}\n`);
      write(`${at}/fd/0`, '');
    },
    remove(pid) {
      // who holds the file open must not go on reading it, as with the kernel's
      write(`proc/${pid}/stat`, statLine({ pid, state: 'X' }));
      fs.rmSync(path.join(root, `proc/${pid}`), { recursive: true });
    },
    close: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}
