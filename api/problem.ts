import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { traceIdOf } from './trace.ts';

/** Every refusal a client can meet: one row is one stable code. `docs/errors.md` is generated from this table. */
export const problems = {
  'malformed-json': { status: 400, title: 'The body is not valid JSON in UTF-8' },
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'A valid bearer token is needed' },
  forbidden: { status: 403, title: 'This caller may not do this' },
  'not-found': { status: 404, title: 'There is no such route' },
  'quote-not-found': { status: 404, title: 'There is no such quote' },
  'zone-not-found': { status: 404, title: 'There is no such zone' },
  'method-not-allowed': { status: 405, title: 'The route exists, but not with this method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'payload-too-large': { status: 413, title: 'The body is larger than this route accepts' },
  'unsupported-media-type': { status: 415, title: 'The media type or encoding of the body is not accepted' },
  'invalid-request': { status: 422, title: 'A field of the request is missing, unknown or out of range' },
  'outside-service-area': { status: 422, title: 'The place lies outside every market' },
  'headers-too-large': { status: 431, title: 'The request headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'ingest-unavailable': { status: 503, title: 'Events cannot be stored at the moment' },
  'geography-unavailable': { status: 503, title: 'The map of the markets is not loaded yet' },
  overloaded: { status: 503, title: 'Too many requests are waiting' },
  'store-unavailable': { status: 503, title: 'Stored quotes cannot be read at the moment' },
  'workflow-unavailable': { status: 503, title: 'The workflow of the zone cannot be asked at the moment' },
  'workflow-timeout': { status: 504, title: 'The workflow of the zone did not answer in time' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof problems;

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface ProblemOptions {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** For 503: seconds until a retry is worth it. */
  readonly retryAfterSeconds?: number;
  /** Further response headers, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Thrown anywhere below a route; the error handler turns it into `application/problem+json`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code].title, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.options = options;
  }
}

/** The RFC 9457 object of a problem. */
export function problemBody(problem: Problem, traceId: string) {
  const { status, title } = problems[problem.code];
  const { detail, errors } = problem.options;
  return {
    type: `/problems/${problem.code}`,
    title,
    status,
    detail: detail ?? title,
    ...(errors === undefined ? {} : { errors }),
    trace_id: traceId,
  };
}

function sendProblem(res: Response, problem: Problem): void {
  const { retryAfterSeconds, headers } = problem.options;
  if (retryAfterSeconds !== undefined) res.setHeader('Retry-After', String(retryAfterSeconds));
  for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
  if (problem.code === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer');
  res.setHeader('Content-Type', 'application/problem+json');
  res.statusCode = problems[problem.code].status;
  res.end(JSON.stringify(problemBody(problem, traceIdOf(res))));
}

/** The one error handler: a problem is answered as it is, what nobody foresaw is logged whole and answered `internal`. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, req, res, _next) => {
    const problem = toProblem(error);
    if (problems[problem.code].status >= 500) {
      const fields = { err: problem.options.cause ?? error, code: problem.code, method: req.method, path: req.path };
      log[problem.code === 'internal' ? 'error' : 'warn']({ ...fields, trace_id: traceIdOf(res) }, 'request failed');
    }
    if (res.headersSent) {
      res.destroy();
      return;
    }
    sendProblem(res, problem);
  };
}

/** Body parser and router errors carry `status` and sometimes `type`; anything else is ours and unforeseen. */
function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { status, type } = httpErrorFields(error);
  switch (status) {
    case 400:
      return new Problem(type === 'entity.parse.failed' ? 'malformed-json' : 'malformed-request');
    case 408:
      return new Problem('request-timeout');
    case 413:
      return new Problem('payload-too-large');
    case 415:
      return new Problem('unsupported-media-type');
    default:
      return new Problem('internal', { cause: error });
  }
}

function httpErrorFields(error: unknown): { status: unknown; type: unknown } {
  if (!(error instanceof Error)) return { status: undefined, type: undefined };
  return {
    status: 'status' in error ? error.status : undefined,
    type: 'type' in error ? error.type : undefined,
  };
}
