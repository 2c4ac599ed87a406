/** Lets one piece of work run at a time, and at most one wait behind it. */
export interface SingleFlight<Request, Result> {
  /**
   * Joins the running one when that covers the request; else the waiting one, which then does what
   * all who wait asked for; else starts.
   */
  request(request: Request): Promise<Result>;
  /** Resolves when nothing runs or waits. Never rejects. */
  idle(): Promise<void>;
}

interface Flight<Request, Result> {
  readonly requests: Request[];
  readonly promise: Promise<Result>;
}

/**
 * @param covers whether work for `requests` does all that `request` asks for; only what is not
 *   covered is added to the waiting one, which bounds it
 */
export function createSingleFlight<Request, Result>(options: {
  covers(requests: readonly Request[], request: Request): boolean;
  run(requests: readonly Request[]): Promise<Result>;
}): SingleFlight<Request, Result> {
  const { covers, run } = options;
  let running: Flight<Request, Result> | null = null;
  let waiting: Flight<Request, Result> | null = null;

  // While one waits, the finished flight stays in `running`, so that nobody starts in between.
  const landed = (): void => {
    if (!waiting) running = null;
  };

  const start = (requests: Request[]): Promise<Result> => {
    const promise = run(requests).finally(landed);
    running = { requests, promise };
    return promise;
  };

  const startWaiting = (): Promise<Result> => {
    const requests = waiting?.requests ?? [];
    waiting = null;
    return start(requests);
  };

  return {
    request(request) {
      if (!running) return start([request]);
      if (covers(running.requests, request)) return running.promise;
      if (!waiting) {
        waiting = {
          requests: [request],
          promise: running.promise.then(startWaiting, startWaiting),
        };
      } else if (!covers(waiting.requests, request)) {
        waiting.requests.push(request);
      }
      return waiting.promise;
    },
    async idle() {
      while (running) await Promise.allSettled([waiting?.promise ?? running.promise]);
    },
  };
}
