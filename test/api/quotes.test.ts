import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQuote, signQuote } from '../../api/quote-token.ts';
import { insertQuotes, type NewQuote, readQuote } from '../../db/quotes.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import { eventually } from '../harness.ts';
import { boardEntry, dropoff, healthyFeed, inCell, inZone, putOnBoard, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
let ann: string;
beforeAll(async () => {
  api = await startApi();
  ann = await api.token('rider', 'ann');
  await healthyFeed(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const estimate = '/api/v1/pricing/estimate';
const asked = { pickup_location: inZone, dropoff_location: dropoff, vehicle_type: 'standard' };
/** 2.1 km and 12 min by the default tariff: 8.50. */
const golden = { latitude: inZone.latitude + 0.01, longitude: inZone.longitude + 0.01045 };

async function priceOf(multiplier: number, version: number): Promise<void> {
  await putOnBoard(api, boardEntry(api.zoneId, { multiplier, version }));
  await eventually(() => api.service.board.entry(`${api.zoneId}:car`)?.version === version);
}

describe('an estimate', () => {
  it('has the price of the zone, worked out to the cent', async () => {
    await priceOf(130, 5);
    const { status, body } = await api.post(estimate, { ...asked, dropoff_location: golden }, ann);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      base_fare: 8.5,
      surge_multiplier: 1.3,
      final_fare: 11.05,
      base_fare_minor: 850,
      final_fare_minor: 1105,
      currency: 'USD',
      estimated_duration: 12,
      estimated_distance: 2.1,
      vehicle_type: 'standard',
      zone_info: { zone_id: api.zoneId, zone_name: 'Midtown', current_demand_level: 'high' },
      price_version: 5,
      source: 'live',
      fare_breakdown: [
        { part: 'base_fare', amount: 8.5, kind: 'default' },
        { part: 'surge', amount: 2.55, kind: 'surge' },
      ],
      explanation: [{ rule: 'linear', before: 1, after: 1.3, detail: 'demand over supply' }],
    });
    expect(body).not.toHaveProperty('warning');
  });

  it('is a row before it is answered, valid for five minutes by the clock of the database', async () => {
    const { body } = await api.post(estimate, asked, ann);
    const { rows } = await api.pool.query(
      `select subject, final_fare_minor::int as fare, multiplier::float8 as multiplier, source, valid_until as until,
              valid_until - issued_at = interval '5 minutes' as five from quotes where quote_id = $1`,
      [body.quote_id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ subject: 'ann', fare: body.final_fare_minor, multiplier: body.surge_multiplier });
    expect(rows[0]).toMatchObject({ five: true, until: new Date(body.quote_valid_until) });
  });

  it('in a zone without an entry is the floor, live, while the feed is healthy', async () => {
    const { body } = await api.post(estimate, { ...asked, pickup_location: inCell }, ann);
    expect(body).toMatchObject({ surge_multiplier: 1, price_version: 0, price_as_of: null, source: 'live' });
    expect(body.zone_info.zone_id).toMatch(/^88[0-9a-f]{13}$/);
    expect(body.fare_breakdown).toEqual([{ part: 'base_fare', amount: body.base_fare, kind: 'default' }]);
  });

  it('prices several types in one call, each class by its own zone', async () => {
    await priceOf(200, 6);
    const { body } = await api.post(
      estimate,
      { ...asked, vehicle_type: undefined, vehicle_types: ['standard', 'xl', 'bike'] },
      ann,
    );
    expect(
      body.quotes.map((quote: Record<string, unknown>) => [quote['vehicle_type'], quote['surge_multiplier']]),
    ).toEqual([
      ['standard', 2],
      ['xl', 2],
      ['bike', 1],
    ]);
    expect(new Set(body.quotes.map((quote: Record<string, unknown>) => quote['quote_id'])).size).toBe(3);
  });

  it('is demand: it stands in the stream with the rider unnamed', async () => {
    const { body } = await api.post(estimate, asked, ann);
    const stream = redisKeys(api.market).streams.demand;
    const event = await eventually(async () => {
      const entries = await api.redis.xrange(stream, '-', '+');
      return entries.map(([, fields]) => JSON.parse(fields[1] ?? '')).find(({ eventId }) => eventId === body.quote_id);
    });
    expect(event).toMatchObject({ kind: 'estimate', vehicleType: 'standard', ...inZone });
    expect(event.rider).toMatch(/^[\w-]{22}$/);
  });
});

describe('a quote', () => {
  it('is found again unchanged, also after the price has moved', async () => {
    await priceOf(140, 7);
    const { body: issued } = await api.post(estimate, asked, ann);
    await priceOf(320, 8);
    const found = await api.get(`/api/v1/pricing/quotes/${issued.quote_id}`, ann);
    expect(found).toMatchObject({ status: 200 });
    expect(found.body).toEqual({ ...issued, status: 'open' });
  });

  it('belongs to its caller: for another rider there is none', async () => {
    const { body } = await api.post(estimate, asked, ann);
    const path = `/api/v1/pricing/quotes/${body.quote_id}`;
    const missing = await api.get(`/api/v1/pricing/quotes/${crypto.randomUUID()}`, ann);
    const foreign = await api.get(path, await api.token('rider', 'bob'));
    expect([foreign.status, foreign.body.type]).toEqual([404, '/problems/quote-not-found']);
    expect({ ...foreign.body, trace_id: '' }).toEqual({ ...missing.body, trace_id: '' });
    expect(await api.get('/api/v1/pricing/quotes/1', ann)).toMatchObject({ status: 404 });
    const seen = await api.get(path, await api.token('operator'));
    expect(seen).toMatchObject({ status: 200, body: { quote_id: body.quote_id } });
    expect(seen.body).not.toHaveProperty('quote_token');
  });

  it('asked for by a service is the quote of the rider it names', async () => {
    const { body } = await api.post(estimate, { ...asked, user_id: 'bob' }, await api.token('service'));
    const path = `/api/v1/pricing/quotes/${body.quote_id}`;
    expect((await api.get(path, await api.token('rider', 'bob'))).body.quote_token).toBe(body.quote_token);
    expect(await api.get(path, ann)).toMatchObject({ status: 404 });
  });

  it('says expired by the clock of the database, and accepted once a ride has it', async () => {
    const { body } = await api.post(estimate, asked, ann);
    const path = `/api/v1/pricing/quotes/${body.quote_id}`;
    await api.pool.query(
      `update quotes set issued_at = now() - interval '6 min', valid_until = now() where quote_id = $1`,
      [body.quote_id],
    );
    expect((await api.get(path, ann)).body.status).toBe('expired');
    await api.pool.query(`update quotes set accepted_at = now(), ride_id = 'r-1' where quote_id = $1`, [body.quote_id]);
    expect((await api.get(path, ann)).body.status).toBe('accepted');
  });
});

const row = (change: Partial<NewQuote> = {}): NewQuote => ({
  quoteId: crypto.randomUUID(),
  subject: 'ann',
  marketId: api.market,
  zoneId: api.zoneId,
  vehicleClass: 'car',
  vehicleType: 'standard',
  priceVersion: 1,
  priceAsOfMs: Date.now(),
  baseFareMinor: 850,
  multiplier: 100,
  finalFareMinor: 850,
  currency: 'USD',
  pickup: [40.7, -73.9],
  dropoff: [40.8, -73.9],
  distanceKm: 2.1,
  durationMin: 12,
  source: 'live',
  details: '{"text":"a \\"quoted\\" {brace}, and a comma"}',
  signingKeyId: 'k',
  ...change,
});

describe('quotes of the same milliseconds', () => {
  it('share commits, and every one is stored', async () => {
    const rows = Array.from({ length: 300 }, () => row());
    const issued = await Promise.all(rows.map((one) => api.service.deps.book.issue(one)));
    expect(new Set(issued.map(({ kept }) => kept))).toEqual(new Set(['database']));
    const { rows: counted } = await api.pool.query(
      'select count(*)::int as stored, count(distinct xmin::text)::int as commits from quotes where quote_id = any($1)',
      [rows.map(({ quoteId }) => quoteId)],
    );
    expect(counted[0].stored).toBe(300);
    expect(counted[0].commits).toBeLessThanOrEqual(4);
  });

  it('do not suffer from a bad one among them', async () => {
    const rows = [row(), row({ currency: 'dollars' }), row(), row({ subject: 'zero\u0000byte' }), row()];
    const outcomes = await Promise.allSettled(rows.map((one) => api.service.deps.book.issue(one)));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    const stored = await Promise.all(rows.map(({ quoteId }) => readQuote(api.pool, quoteId)));
    expect(stored.map((found) => found !== undefined)).toEqual([true, false, true, false, true]);
    expect(api.service.deps.postgresGuard.away).toBe(false);
  });

  it('come back from the database as they went in', async () => {
    const one = row({ priceAsOfMs: null, multiplier: 137, distanceKm: 12.3 });
    const times = await insertQuotes(api.pool, [one]);
    const stored = await readQuote(api.pool, one.quoteId);
    if (stored === undefined) throw new Error('the quote is missing');
    const { details, acceptedAtMs, expired, ...rest } = stored;
    const { details: sent, ...given } = one;
    expect(rest).toEqual({ ...given, ...times });
    expect([JSON.parse(details), acceptedAtMs, expired]).toEqual([JSON.parse(sent), null, false]);
  });
});

describe('a quote token', () => {
  it('carries the quote, for its caller alone', async () => {
    const { body } = await api.post(estimate, asked, ann);
    const keys = [api.keys.quoteSigning];
    expect(openQuote(keys, body.quote_token, 'ann')).toMatchObject({
      q: body.quote_id,
      s: 'ann',
      f: body.final_fare_minor,
      u: Date.parse(body.quote_valid_until),
    });
    expect(openQuote(keys, body.quote_token, 'bob')).toBeUndefined();
  });

  it('is worth nothing once a single character differs', async () => {
    const { body } = await api.post(estimate, asked, ann);
    const token: string = body.quote_token;
    const keys = [api.keys.quoteSigning];
    for (let i = 0; i < token.length; i += 7) {
      const bent = token.slice(0, i) + (token[i] === 'x' ? 'y' : 'x') + token.slice(i + 1);
      expect(openQuote(keys, bent, 'ann')).toBeUndefined();
    }
    expect(openQuote(keys, `${token}.`, 'ann')).toBeUndefined();
    expect(openQuote(keys, 'nonsense', 'ann')).toBeUndefined();
  });

  it('of a retired key is still opened, of an unknown key never', async () => {
    const stored = await readQuote(api.pool, (await api.post(estimate, asked, ann)).body.quote_id);
    if (stored === undefined) throw new Error('the quote is missing');
    const old = { keyId: 'old', secret: Buffer.alloc(32, 1) };
    const token = signQuote(old, stored);
    expect(openQuote([api.keys.quoteSigning, old], token, 'ann')).toMatchObject({ q: stored.quoteId });
    expect(openQuote([api.keys.quoteSigning], token, 'ann')).toBeUndefined();
    expect(openQuote([{ ...old, secret: Buffer.alloc(32, 2) }], token, 'ann')).toBeUndefined();
  });
});
