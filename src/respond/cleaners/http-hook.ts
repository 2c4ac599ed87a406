import { codes } from '../../errors.ts';
import type { CleanupLevel } from '../../policy/policy.ts';
import { hasCredentials, isLoopback } from '../../policy/url.ts';
import type { Cleaner, CleanerResult } from '../cleaner.ts';
import { errorText } from '../error-text.ts';

const MAX_BODY_BYTES = 64 * 1024;

export interface HttpHookOptions {
  readonly name: string;
  readonly target: string;
  readonly level: CleanupLevel;
  readonly timeoutMs: number;
  readonly url: string;
  /** POST when not given */
  readonly method?: string;
}

/**
 * Asks the application to clean itself: `{level, reason}` as JSON. Any 2xx is a success; its body may
 * be `{freed_bytes?, items?}`, anything else in it or more than 64 KiB of it is ignored. Redirects
 * are failures. The query string is sent and never shown.
 *
 * @throws MEM_POLICY_INVALID for a URL that may not be called
 */
export function createHttpHookCleaner(options: HttpHookOptions): Cleaner {
  const { name, target, level, timeoutMs, method = 'POST' } = options;
  const url = checkedUrl(options);
  const shown = `${method} ${url.origin}${url.pathname}`;
  return {
    name,
    target,
    level,
    timeoutMs,
    plan: () => `call ${shown}`,
    async run(signal, { level: asked, reason }) {
      const response = await fetch(url, {
        method,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ level: asked, reason }),
        redirect: 'error',
        signal,
      }).catch((error: unknown) => {
        throw new Error(`${shown}: ${networkReason(error)}`);
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`${shown} answered ${response.status}`);
      }
      return figures(await readCapped(response));
    },
  };
}

function checkedUrl({ name, url: text }: HttpHookOptions): URL {
  const refuse = (why: string): never => {
    throw new codes.MEM_POLICY_INVALID(`cleaner "${name}": ${why}`);
  };
  if (!URL.canParse(text)) return refuse('http.url is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    refuse('http.url must be http or https');
  if (hasCredentials(url)) refuse('http.url must not carry credentials');
  if (!isLoopback(url.hostname)) refuse(`http.url must be on a loopback host, not ${url.hostname}`);
  return url;
}

/** fetch says "fetch failed" and keeps the reason in the cause; a URL in it would show the query. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return errorText(cause ?? error);
}

/** The body as text; empty when there is more of it than anyone should answer. */
async function readCapped(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function figures(body: string): CleanerResult | undefined {
  try {
    const answer = JSON.parse(body) as { freed_bytes?: number; items?: number } | null;
    return { freedBytes: answer?.freed_bytes ?? null, items: answer?.items ?? null };
  } catch {
    // Figures are optional: "OK" as plain text is an answer like any other.
    return undefined;
  }
}
