import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { priceSources, type QuoteRow } from '../db/quotes.ts';
import { vehicleTypes } from '../domain/ids.ts';

/** Keys by id; the first signs, all verify, so a key can be exchanged while its quotes are still open. */
export interface QuoteKey {
  readonly keyId: string;
  readonly secret: Buffer;
}

const point = z.tuple([z.number(), z.number()]);
const count = z.number().int().min(0);

/** A quote whole enough to be honoured where its row has not arrived yet. Short names: it travels in a URL or a header. */
const Claims = z.strictObject({
  q: z.uuid(),
  s: z.string().min(1),
  m: z.string(),
  z: z.string(),
  v: count,
  t: z.enum(vehicleTypes),
  b: count,
  x: count,
  f: count,
  c: z.string(),
  p: point,
  d: point,
  k: z.number().positive(),
  n: count,
  o: z.enum(priceSources),
  i: count,
  u: count,
});

export type QuoteClaims = z.infer<typeof Claims>;

/** `<key id>.<claims>.<HMAC-SHA-256>`, all in base64url. The subject is part of what is signed. */
export function signQuote(key: QuoteKey, row: QuoteRow): string {
  const claims: QuoteClaims = {
    q: row.quoteId,
    s: row.subject,
    m: row.marketId,
    z: row.zoneId,
    v: row.priceVersion,
    t: row.vehicleType,
    b: row.baseFareMinor,
    x: row.multiplier,
    f: row.finalFareMinor,
    c: row.currency,
    p: [...row.pickup],
    d: [...row.dropoff],
    k: row.distanceKm,
    n: row.durationMin,
    o: row.source,
    i: row.issuedAtMs,
    u: row.validUntilMs,
  };
  const text = `${key.keyId}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${text}.${signature(key, text)}`;
}

/** The claims of a token we signed for this subject; undefined for any other text. Says nothing about expiry. */
export function openQuote(keys: readonly QuoteKey[], token: string, subject: string): QuoteClaims | undefined {
  const [keyId = '', payload = '', given = '', ...rest] = token.split('.');
  const key = keys.find((known) => known.keyId === keyId);
  if (key === undefined || rest.length > 0) return undefined;
  const expected = Buffer.from(signature(key, `${keyId}.${payload}`));
  const offered = Buffer.from(given);
  if (expected.length !== offered.length || !timingSafeEqual(expected, offered)) return undefined;
  const claims = Claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  return claims.success && claims.data.s === subject ? claims.data : undefined;
}

function signature(key: QuoteKey, text: string): string {
  return createHmac('sha256', key.secret).update(text).digest('base64url');
}
