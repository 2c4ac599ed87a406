/** Errors on the wire: RFC 9457, the MEM_* code in `code`, never a stack or a path. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type {
  ConnectionError,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
} from 'fastify';
import { problemsOf } from '../policy/problem.ts';
import { type Issue, issuesOf } from './issues.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance?: string;
  readonly errors?: readonly Issue[];
}

/** Fastify's own refusals, in our words. */
const FASTIFY_CODES: Readonly<Record<string, { code: string; detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'MEM_BODY_TOO_LARGE',
    detail: 'The body is larger than 64 KiB. Send less.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'MEM_UNSUPPORTED_MEDIA_TYPE',
    detail: 'Send the body as application/json.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'MEM_BAD_REQUEST',
    detail: 'The body is empty: send JSON, or no content-type.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'MEM_BAD_REQUEST', detail: 'The body is not valid JSON.' },
  FST_ERR_NOT_FOUND: { code: 'MEM_NOT_FOUND', detail: 'There is nothing here.' },
};

interface Described {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: Problem['errors'];
}

function describe(error: FastifyError): Described {
  if (error.validation) {
    const errors = issuesOf(error);
    const detail = errors.map((issue) => `${issue.pointer} ${issue.detail}`).join('; ');
    return { status: 400, code: 'MEM_BAD_REQUEST', detail, errors };
  }
  const status = error.statusCode ?? 500;
  if (error.code?.startsWith('MEM_')) {
    const errors = problemsOf(error).map(({ key, expected, got }) => ({
      pointer: key,
      detail: `expected ${expected}, got ${got}`,
    }));
    const { code, message: detail } = error;
    return { status, code, detail, ...(errors.length > 0 ? { errors } : {}) };
  }
  const known = FASTIFY_CODES[error.code ?? ''];
  if (known) return { status, ...known };
  if (status < 500) return { status, code: 'MEM_BAD_REQUEST', detail: error.message };
  return {
    status: 500,
    code: 'MEM_INTERNAL',
    detail: 'Something broke here; the log of memwarden says what.',
  };
}

/** The problem for an error. Pure; what is not ours is told as MEM_INTERNAL and nothing more. */
export function toProblem(error: FastifyError, instance?: string): Problem {
  const { status, code, detail, errors } = describe(error);
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(instance === undefined ? {} : { instance }),
    ...(errors ? { errors } : {}),
  };
}

/** Answers with the problem; for the handlers below and for what Fastify refuses before routing. */
export function sendProblem(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const problem = toProblem(error, request.id);
  if (problem.status >= 500) request.log.error({ err: error }, problem.detail);
  reply
    .code(problem.status)
    .header('content-type', PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(problem);
}

/** Sets the handlers in this scope only, so that a host application keeps its own. */
export function useProblems(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>(sendProblem);
}

/** Of a path that a caller made up. */
const MOST_SHOWN = 200;

/** For the standalone service: an unknown path is a problem as well. */
export function useNotFoundProblem(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]?.slice(0, MOST_SHOWN) ?? '';
    const detail = `There is no ${request.method} ${path}. GET / lists what there is.`;
    const problem: Problem = {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'MEM_NOT_FOUND',
      detail,
    };
    reply.code(404).header('content-type', PROBLEM_TYPE).send(JSON.stringify(problem));
  });
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is no HTTP at all, or more than is read of it; there is no request yet to reply to. */
export function refuseClient(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_BY_CODE[error.code] ?? 400;
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const detail = `The request cannot be read (${error.code}).`;
  const body = JSON.stringify({
    type: 'about:blank',
    title,
    status,
    code: 'MEM_BAD_REQUEST',
    detail,
  });
  const headers = `content-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${headers}\r\nconnection: close\r\n\r\n${body}`);
}
