export type Ending<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'stopped' };

/**
 * Starts a piece of foreign work (none when `stop` has aborted) and resolves when it ends, at `timeoutMs`, or when `stop` aborts,
 * whichever is first; never rejects. The work's own signal aborts in the last two cases, and what it
 * does later is ignored: `onSettled` hears that it ended, and a late rejection goes nowhere.
 */
export function within<T>(options: {
  timeoutMs: number;
  stop?: AbortSignal;
  start(signal: AbortSignal): T | PromiseLike<T>;
  onSettled?(): void;
}): Promise<Ending<T>> {
  const { timeoutMs, stop, start, onSettled } = options;
  const controller = new AbortController();
  return new Promise((resolve) => {
    const end = (ending: Ending<T>): void => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', onStop);
      resolve(ending);
    };
    const giveUp = (kind: 'timed_out' | 'stopped'): void => {
      end({ kind });
      controller.abort(new Error(kind === 'stopped' ? 'memwarden is stopping' : 'timed out'));
    };
    const onStop = (): void => giveUp('stopped');
    const timer = setTimeout(giveUp, timeoutMs, 'timed_out');
    if (stop?.aborted) return giveUp('stopped');
    stop?.addEventListener('abort', onStop);
    // An async function, so that a synchronous throw and a hostile thenable end here too.
    const work = async (): Promise<T> => start(controller.signal);
    work().then(
      (value) => {
        onSettled?.();
        end({ kind: 'done', value });
      },
      (error: unknown) => {
        onSettled?.();
        end({ kind: 'threw', error });
      },
    );
  });
}
