/**
 * The heartbeat: calls `onTick` on the multiples of the interval, and counts the beats that came
 * too late. One timer, never overlapping, because the tick is synchronous.
 */
export interface Ticker {
  start(): void;
  stop(): void;
  /** takes effect at the next beat */
  setInterval(intervalMs: number): void;
  readonly intervalMs: number;
  /** beats that were skipped because the loop was blocked */
  readonly overruns: number;
  /** how late the last beat was, ms */
  readonly latenessMs: number;
}

export interface TickerOptions {
  readonly intervalMs: number;
  onTick(): void;
  /** keep the process alive; false inside a host application */
  readonly ref?: boolean;
}

/** A stopped ticker. Cost: one timer; a beat of 1 s drifts by less than 1 ms because each beat is aimed anew. */
export function createTicker(options: TickerOptions): Ticker {
  let intervalMs = options.intervalMs;
  let timer: NodeJS.Timeout | undefined;
  let dueMs = 0;
  let overruns = 0;
  let latenessMs = 0;

  const aim = (nowMs: number): void => {
    dueMs = Math.floor(nowMs / intervalMs + 1) * intervalMs;
    timer = setTimeout(beat, dueMs - nowMs);
    if (options.ref === false) timer.unref();
  };
  const beat = (): void => {
    const nowMs = performance.now();
    latenessMs = Math.max(0, nowMs - dueMs);
    overruns += Math.floor(latenessMs / intervalMs);
    // timers may fire a fraction early; aiming from the due time keeps that beat from doubling
    aim(Math.max(nowMs, dueMs));
    options.onTick();
  };

  return {
    start() {
      if (timer === undefined) aim(performance.now());
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
    setInterval(next) {
      intervalMs = next;
    },
    get intervalMs() {
      return intervalMs;
    },
    get overruns() {
      return overruns;
    },
    get latenessMs() {
      return latenessMs;
    },
  };
}
