/** What is sampled of a target's processes, and the place of each figure in an array of them. */
export const PROCESS_SERIES = [
  'rss_bytes',
  'swap_bytes',
  'pss_bytes',
  'cpu_ms',
  'threads',
  'open_fds',
  'processes',
] as const;

export const RSS = 0;
export const SWAP = 1;
export const PSS = 2;
export const CPU_MS = 3;
export const THREADS = 4;
export const OPEN_FDS = 5;
export const PROCESSES = 6;
