import createError, { type FastifyErrorConstructor } from '@fastify/error';

/**
 * Every code memwarden can answer with: its HTTP status and what it means. docs/reference/errors.md
 * is generated from this, and a test compares the two. A retired code is never reused.
 */
export const catalogue = {
  MEM_BAD_REQUEST: {
    status: 400,
    meaning: 'A parameter or the body is not as documented; `detail` and `errors` name it.',
  },
  MEM_UNAUTHORIZED: {
    status: 401,
    meaning: 'A token is set and the call carried none, or another: send `Authorization: Bearer`.',
  },
  MEM_FORBIDDEN_ORIGIN: {
    status: 403,
    meaning: 'A write came from another web page; a browser must not be used against you.',
  },
  MEM_FORBIDDEN_HOST: {
    status: 403,
    meaning:
      'Without a token only this machine may call, under a loopback name or one of `server.allowed_hosts`.',
  },
  MEM_NOT_FOUND: { status: 404, meaning: 'There is no such route.' },
  MEM_METHOD_NOT_ALLOWED: {
    status: 405,
    meaning: 'The path has no such method; `Allow` and `detail` list those it has.',
  },
  MEM_UNKNOWN_TARGET: {
    status: 404,
    meaning: 'No target has that name; `GET /internal/memory/targets` lists them.',
  },
  MEM_UNKNOWN_SERIES: { status: 404, meaning: 'The target has no series of that name.' },
  MEM_CONFLICT: {
    status: 409,
    meaning:
      'The name is taken, a limit on registrations is reached, or another memwarden holds the data directory.',
  },
  MEM_BODY_TOO_LARGE: { status: 413, meaning: 'The body is larger than 64 KiB.' },
  MEM_UNSUPPORTED_MEDIA_TYPE: { status: 415, meaning: 'Send the body as `application/json`.' },
  MEM_POLICY_INVALID: {
    status: 422,
    meaning: 'The policy breaks a rule; each problem names file, line, key and what was expected.',
  },
  MEM_POLICY_UNREADABLE: { status: 422, meaning: 'The policy file cannot be read.' },
  MEM_TOO_MANY_REQUESTS: {
    status: 429,
    meaning: 'More than 100 writes a minute, or too many open streams, from one client.',
  },
  MEM_TOO_MANY_SERIES: {
    status: 429,
    meaning: 'No more series can be kept; push fewer gauge names.',
  },
  MEM_INTERNAL: { status: 500, meaning: 'A defect of memwarden; its log has the stack.' },
  MEM_INSECURE_BIND: {
    status: 500,
    meaning: 'At start: an address beyond loopback needs a token.',
  },
  MEM_PORT_IN_USE: { status: 500, meaning: 'At start: the port is taken.' },
  MEM_DATA_DIR_UNUSABLE: {
    status: 500,
    meaning: 'At start: `data_dir` cannot be used; the message names the path and what to do.',
  },
  MEM_DATABASE_NEWER: {
    status: 500,
    meaning: 'At start: the data file was written by a newer memwarden; run that one.',
  },
  MEM_DATABASE_UNUSABLE: {
    status: 500,
    meaning: 'At start: the data file was changed by something else than memwarden.',
  },
  MEM_NOT_WRITTEN: {
    status: 500,
    meaning: 'At the end: the disk did not take the last samples, and they are lost.',
  },
  MEM_NOT_AVAILABLE: { status: 501, meaning: 'This version does not do that yet.' },
  MEM_NOT_READY: { status: 503, meaning: 'memwarden is stopping.' },
  MEM_UNREACHABLE: {
    status: 503,
    meaning: 'On the command line: no memwarden answers at that address.',
  },
} as const satisfies Record<string, { status: number; meaning: string }>;

export type MemCode = keyof typeof catalogue;

/** `new codes.MEM_CONFLICT(message, { cause })`: an Error with `code` and `statusCode`. */
type MemError = FastifyErrorConstructor<
  { code: MemCode; statusCode: number },
  [message: string, options?: ErrorOptions]
>;

const entries = Object.entries(catalogue) as [MemCode, { status: number }][];

/** The constructors, by code. The message says what to do. */
export const codes = Object.fromEntries(
  entries.map(([code, { status }]) => [code, createError(code, '%s', status)]),
) as unknown as Readonly<Record<MemCode, MemError>>;
