/** The service, as the command line asks it. The token comes from the environment or a file, never a flag. */
import { codes, type MemCode } from '../errors.ts';
import { readToken } from '../policy/policy-file.ts';
import { type Args, type Io, textOf } from './command.ts';

const TIMEOUT_MS = 60_000;
const DEFAULT_URL = 'http://127.0.0.1:8181';

export interface Client {
  readonly url: string;
  /** @throws MEM_UNREACHABLE when no memwarden answers, the problem's own code when it refuses */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

function tokenOf({ MEMWARDEN_TOKEN: token, MEMWARDEN_TOKEN_FILE: file }: NodeJS.ProcessEnv) {
  if (token) return token.trim();
  if (!file) return undefined;
  const found = readToken(file, process.cwd());
  if ('token' in found) return found.token;
  throw new codes.MEM_POLICY_UNREADABLE(
    `MEMWARDEN_TOKEN_FILE: expected ${found.expected}; got ${found.got}.`,
  );
}

/** Errors of fetch hide the reason in their cause. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message || String(cause) : String(cause);
};

/** The body of an answer. @throws the problem it is, or MEM_UNREACHABLE for what no memwarden answers */
async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new codes.MEM_UNREACHABLE(
      `What answers at ${new URL(response.url).origin} is no memwarden (${response.status} ${response.statusText}).`,
      { cause },
    );
  }
  if (response.ok) return body;
  const { detail = text, code = 'MEM_INTERNAL' } = body as { detail?: string; code?: MemCode };
  throw new (codes[code] ?? codes.MEM_INTERNAL)(`${detail} (${code})`);
}

export function createClient(args: Args, io: Io): Client {
  const url = (textOf(args, 'url') ?? io.env.MEMWARDEN_URL ?? DEFAULT_URL).replace(/\/$/, '');
  const token = tokenOf(io.env);

  const call = async <T>(path: string, init: RequestInit): Promise<T> => {
    const headers = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(init.body ? { 'content-type': 'application/json' } : {}),
    };
    let response: Response;
    try {
      response = await fetch(url + path, {
        ...init,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      throw new codes.MEM_UNREACHABLE(
        `No memwarden answers at ${url} (${reasonOf(cause)}). Start it with "memwarden serve", or give --url.`,
        { cause },
      );
    }
    return (await bodyOf(response)) as T;
  };

  return {
    url,
    get: (path) => call(path, {}),
    post: (path, body) => call(path, { method: 'POST', body: JSON.stringify(body) }),
  };
}

/** `?a=1&b=2` of what is set; '' of nothing. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return set.length === 0 ? '' : `?${new URLSearchParams(set as [string, string][])}`;
}
