import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler } from 'express';
import { z } from 'zod';
import { type FieldError, Problem } from './problem.ts';

const kib = 1_024;

/** What a route takes: a JSON body, or a bulk of events as JSON or as one JSON object per line. */
export type BodyKind = 'none' | 'json' | 'bulk';

export const ndjson = 'application/x-ndjson';

const json = express.json({
  limit: 64 * kib,
  // A bare number is JSON too; the schema then says what was expected.
  strict: false,
  verify: refuseBrokenUtf8,
});
const bulkJson = express.json({ limit: kib * kib, strict: false, verify: refuseBrokenUtf8 });
const bulkLines = express.text({ limit: kib * kib, type: ndjson, verify: refuseBrokenUtf8 });

function refuseBrokenUtf8(_req: unknown, _res: unknown, bytes: Buffer, encoding: string): void {
  if (encoding === 'utf-8' && !isUtf8(bytes)) throw new Problem('malformed-json', { detail: 'the body is not UTF-8' });
}

/** The handlers that read the body of a route; the problems they throw are 400, 413 and 415. */
export function bodyReaders(kind: BodyKind): RequestHandler[] {
  switch (kind) {
    case 'none':
      return [];
    case 'json':
      return [mediaType('application/json'), json];
    case 'bulk':
      return [mediaType('application/json', ndjson), bulkJson, bulkLines];
    default:
      return kind satisfies never;
  }
}

function mediaType(...accepted: string[]): RequestHandler {
  return (req, _res, next) => {
    // The exact header of nearly every client is let through without parsing it.
    if (req.headers['content-type'] !== accepted[0] && hasBody(req) && req.is(accepted) === false) {
      throw new Problem('unsupported-media-type', { detail: `send ${accepted.join(' or ')}` });
    }
    next();
  };
}

function hasBody(req: Request): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

/** The parsed value, or `invalid-request` with the path of every wrong field. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem('invalid-request', { errors: fieldErrors(result.error) });
}

const mostErrors = 20;

export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.slice(0, mostErrors).map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message.slice(0, 200),
  }));
}
