import type { Response } from 'express';

/** Sends JSON in one piece: for the routes where what Express does besides would be felt. */
export function answer(res: Response, value: unknown): void {
  const text = JSON.stringify(value);
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}
