/**
 * What memwarden itself costs, over windows of `windowMs`: CPU of the process, and the share of a
 * core its own ticks took. Inside a host application the first is the host's; the second is ours.
 */
export interface SelfCost {
  /** percent of one core over the last full window; NaN before the first */
  readonly cpuPercent: number;
  readonly samplingPercent: number;
  readonly rssBytes: number;
  readonly lastTickMs: number;
  readonly samples: number;
  /** Adds one tick's duration; true when a window has just ended and the figures are new. */
  add(tickMs: number, nowMs: number): boolean;
}

/** Cost: one addition a tick; process.cpuUsage and memoryUsage.rss once a window. */
export function createSelfCost(windowMs: number): SelfCost {
  let samples = 0;
  let lastTickMs = Number.NaN;
  let tickTotalMs = 0;
  let windowStartMs = Number.NaN;
  let cpu = process.cpuUsage();
  let cpuPercent = Number.NaN;
  let samplingPercent = Number.NaN;
  let rssBytes = process.memoryUsage.rss();

  const close = (nowMs: number): void => {
    const elapsedMs = nowMs - windowStartMs;
    const used = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    cpuPercent = (used.user + used.system) / 10 / elapsedMs;
    samplingPercent = (tickTotalMs / elapsedMs) * 100;
    rssBytes = process.memoryUsage.rss();
    tickTotalMs = 0;
    windowStartMs = nowMs;
  };

  return {
    add(tickMs, nowMs) {
      samples++;
      lastTickMs = tickMs;
      tickTotalMs += tickMs;
      if (Number.isNaN(windowStartMs)) {
        // Starting up is no conduct: the first window begins with the first sample.
        windowStartMs = nowMs;
        cpu = process.cpuUsage();
      }
      if (nowMs - windowStartMs < windowMs) return false;
      close(nowMs);
      return true;
    },
    get samples() {
      return samples;
    },
    get lastTickMs() {
      return lastTickMs;
    },
    get cpuPercent() {
      return cpuPercent;
    },
    get samplingPercent() {
      return samplingPercent;
    },
    get rssBytes() {
      return rssBytes;
    },
  };
}
