import type { RequestHandler, Response } from 'express';
import { newTraceId } from './ids.ts';

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's W3C trace id if it sent a valid one, else a new one; 32 hex digits. */
export function traceIdFrom(header: string | undefined): string {
  const given = header === undefined ? undefined : traceparent.exec(header)?.[1];
  // All zeros is the standard's way to say "none".
  if (given !== undefined && !/^0+$/.test(given)) return given;
  return newTraceId();
}

/** Names every request, in the answer's header `Trace-Id`, in problems and in the log. */
export const trace: RequestHandler = (req, res, next) => {
  const header = req.headers['traceparent'];
  res.setHeader('Trace-Id', traceIdFrom(typeof header === 'string' ? header : undefined));
  next();
};

export function traceIdOf(res: Response): string {
  return String(res.getHeader('Trace-Id') ?? '');
}
