import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openQuote } from '../../api/quote-token.ts';
import { type QuoteRow, readQuote, storePendingQuotes } from '../../db/quotes.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import { priceTtlMs } from '../../domain/config.ts';
import type { BoardEntry } from '../../domain/decision.ts';
import { eventually, services } from '../harness.ts';
import { startProxy, type Proxy } from './proxy.ts';
import {
  boardEntry,
  dropoff,
  healthyFeed,
  inZone,
  putOnBoard,
  startApi,
  type StartOptions,
  type TestApi,
} from './start-api.ts';

const estimate = '/api/v1/pricing/estimate';
const asked = { pickup_location: inZone, dropoff_location: dropoff, vehicle_type: 'standard' };
const minutes = 60_000;

interface Cuttable extends AsyncDisposable {
  readonly api: TestApi;
  readonly redis: Proxy;
  readonly postgres: Proxy;
  readonly ann: string;
}

async function startCuttable(options: StartOptions = {}): Promise<Cuttable> {
  const redis = await startProxy(services().redisUrl);
  const postgres = await startProxy(services().databaseUrl);
  const databaseUrl = (real: string) => {
    const url = new URL(postgres.url);
    url.pathname = new URL(real).pathname;
    return url.toString();
  };
  const api = await startApi({ ...options, redisUrl: redis.url, databaseUrl });
  return {
    api,
    redis,
    postgres,
    ann: await api.token('rider', 'ann'),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
    },
  };
}

async function onBoard({ api }: Cuttable, change: Partial<BoardEntry>): Promise<void> {
  const entry = boardEntry(api.zoneId, change);
  await putOnBoard(api, entry);
  await eventually(() => api.service.board.entry(`${api.zoneId}:car`)?.version === entry.version);
}

const redisGone = ({ api }: Cuttable) => eventually(() => api.service.deps.redis.status !== 'ready');

describe('the price of a zone', () => {
  let cut: Cuttable;
  beforeAll(async () => {
    cut = await startCuttable();
  });
  afterAll(() => cut[Symbol.asyncDispose]());
  afterEach(() => {
    cut.redis.mend();
    cut.postgres.mend();
  });

  it('comes by Pub/Sub, and by the sweep when that was missed', async () => {
    const { api, ann } = cut;
    await onBoard(cut, { version: 1, multiplier: 120 });
    expect((await api.post(estimate, asked, ann)).body).toMatchObject({ surge_multiplier: 1.2, source: 'live' });
    await putOnBoard(api, boardEntry(api.zoneId, { version: 2, multiplier: 140 }), { silently: true });
    await eventually(async () => (await api.post(estimate, asked, ann)).body.price_version === 2);
  });

  it('never goes back to an older version that arrives late', async () => {
    const { api } = cut;
    await onBoard(cut, { version: 4, multiplier: 160 });
    await putOnBoard(api, boardEntry(api.zoneId, { version: 3, multiplier: 500 }));
    // Messages of a channel arrive in order: once this one is here, the late one was too.
    await putOnBoard(api, { ...boardEntry(api.zoneId), vehicleClass: 'bike' });
    await eventually(() => api.service.board.entry(`${api.zoneId}:bike`));
    expect(api.service.board.entry(`${api.zoneId}:car`)).toMatchObject({ version: 4, multiplier: 160 });
  });

  it('stays live from memory while Redis is away, and is caught up after it', async () => {
    const { api, ann, redis } = cut;
    await onBoard(cut, { version: 10, multiplier: 180 });
    redis.cut();
    await redisGone(cut);
    const { body } = await api.post(estimate, asked, ann);
    expect(body).toMatchObject({ surge_multiplier: 1.8, source: 'live' });
    expect(await readQuote(api.pool, body.quote_id)).toBeDefined();
    await putOnBoard(api, boardEntry(api.zoneId, { version: 11, multiplier: 190 }));
    redis.mend();
    await eventually(async () => (await api.post(estimate, asked, ann)).body.price_version === 11);
  });

  it('drifts to its floor once it is older than its validity, and says so', async () => {
    const { api, ann } = cut;
    const asOfMs = Date.now() - priceTtlMs - 40_000;
    await onBoard(cut, { version: 20, multiplier: 300, asOfMs });
    const { body } = await api.post(estimate, asked, ann);
    expect(body).toMatchObject({ surge_multiplier: 1.5, price_version: 20, source: 'redis' });
    expect(body.price_as_of).toBe(new Date(asOfMs).toISOString());
    expect(body.warning).toMatch(/last known state/);
    expect(body.explanation.at(-1)).toMatchObject({ rule: 'drift', before: 3, after: 1.5 });
    const stored = await api.get(`/api/v1/pricing/quotes/${body.quote_id}`, ann);
    expect(stored.body).toEqual({ ...body, status: 'open' });
  });

  it('of a zone that went to sleep is its floor, live, only while the feed can be believed', async () => {
    const { api, ann } = cut;
    const { counts } = boardEntry(api.zoneId);
    const asleep = { multiplier: 100, asOfMs: Date.now() - 60 * minutes, counts: { ...counts, asleep: true } };
    await onBoard(cut, { version: 30, ...asleep });
    expect((await api.post(estimate, asked, ann)).body).toMatchObject({ source: 'redis', surge_multiplier: 1 });
    await healthyFeed(api);
    const { body } = await api.post(estimate, asked, ann);
    expect(body).toMatchObject({ source: 'live', surge_multiplier: 1, price_version: 30 });
    await api.redis.hset(redisKeys(api.market).feed, 'watermark', Date.now() - 31_000);
    await eventually(async () => (await api.post(estimate, asked, ann)).body.source !== 'live');
  });
});

describe('a price that is not in memory', () => {
  it('comes from Redis before Postgres, from Postgres before the floor', async () => {
    await using cuttable = await startCuttable({ unstarted: true });
    const { api, ann, redis, postgres } = cuttable;
    const { deps } = api.service;
    // The map is there, but the board has never been looked at.
    redis.cut();
    await deps.geography.start();
    await deps.clock.start();
    expect((await api.post(estimate, asked, ann)).body).toMatchObject({
      surge_multiplier: 1,
      source: 'tariff',
      warning: expect.any(String),
    });

    const record = (multiplier: number, ageMs: number) =>
      api.pool.query(
        `insert into supply_demand_snapshots (zone_id, vehicle_class, "timestamp", market_id, supply_count, demand_count,
           surge_multiplier, recommended_multiplier, price_version) values ($1, 'car', to_timestamp($2 / 1000.0), $3, 1, 1, $4, $4, 3)`,
        [api.zoneId, Date.now() - ageMs, api.market, multiplier],
      );
    await api.pool
      .query(`create table supply_demand_snapshots_test partition of supply_demand_snapshots default`)
      .catch(() => {});
    await record(2.4, 60_000);
    const price = () => deps.prices.price(api.market, api.zoneId, 'car', Date.now());
    const fromDatabase = await eventually(async () => {
      const { body } = await api.post(estimate, asked, ann);
      return body.source === 'database' && body;
    });
    expect(fromDatabase).toMatchObject({
      surge_multiplier: 2.4,
      price_version: 3,
      warning: expect.stringContaining('recorded'),
    });
    // An hour on, with no better news, nothing is left of it but the floor.
    const later = await deps.prices.price(api.market, api.zoneId, 'car', Date.now() + 60 * minutes);
    expect(later).toMatchObject({ multiplier: 100, source: 'database' });

    postgres.cut();
    expect(await price()).toMatchObject({ source: 'database', multiplier: 240 });
  });

  it('is read from Redis itself when the sweep has not been there', async () => {
    await using cuttable = await startCuttable({ unstarted: true });
    const { api, postgres } = cuttable;
    const { prices, geography, redis } = api.service.deps;
    await putOnBoard(api, boardEntry(api.zoneId, { version: 9, multiplier: 210 }), { silently: true });
    await eventually(() => redis.status === 'ready');
    postgres.cut();
    await geography.start();
    const price = await prices.price(api.market, api.zoneId, 'car', Date.now());
    expect(price).toMatchObject({ source: 'redis', multiplier: 210, version: 9 });
  });

  it('is the standard fare without surge where not even a tariff was ever seen', async () => {
    await using cuttable = await startCuttable({ unstarted: true });
    cuttable.postgres.cut();
    const { api, ann } = cuttable;
    await api.service.start();
    const { status, body } = await api.post(estimate, asked, ann);
    expect(status).toBe(200);
    expect(body).toMatchObject({ base_fare: 8.5, final_fare: 8.5, surge_multiplier: 1, source: 'emergency_fallback' });
    expect(body.warning).toMatch(/standard fare/);
    expect(openQuote([api.keys.quoteSigning], body.quote_token, 'ann')).toMatchObject({ f: 850 });
    expect(await api.post('/api/v1/drivers/d/location', inZone, await api.token('service'))).toMatchObject({
      status: 503,
      body: { type: '/problems/geography-unavailable' },
    });
    expect(await api.get('/readyz')).toMatchObject({
      status: 503,
      body: { status: 'starting', checks: { geography: 'loading' } },
    });
    cuttable.postgres.mend();
    await eventually(async () => (await api.get('/readyz')).status === 200);
    await eventually(async () => (await readQuote(api.pool, body.quote_id))?.finalFareMinor === 850);
  });
});

describe('while Postgres is away', () => {
  let cut: Cuttable;
  beforeAll(async () => {
    cut = await startCuttable();
    await onBoard(cut, { version: 1, multiplier: 150 });
  });
  afterAll(() => cut[Symbol.asyncDispose]());
  afterEach(async () => {
    cut.redis.mend();
    cut.postgres.mend();
    await eventually(() => cut.api.service.deps.clock.answering && cut.api.service.deps.redis.status === 'ready');
  });

  it('quotes go on, signed, held for the recorder, found again, and stored once', async () => {
    const { api, ann, postgres } = cut;
    postgres.cut();
    const quotes = await Promise.all(Array.from({ length: 20 }, () => api.post(estimate, asked, ann)));
    for (const { status, body } of quotes) {
      expect(status).toBe(200);
      expect(body).toMatchObject({
        surge_multiplier: 1.5,
        source: 'live',
        warning: expect.stringContaining('outside the main store'),
      });
      const lifeMs = Date.parse(body.quote_valid_until) - Date.now();
      expect(lifeMs).toBeGreaterThan(4 * minutes);
      expect(lifeMs).toBeLessThanOrEqual(5 * minutes + 1_000);
    }
    const { body } = quotes[0] ?? { body: undefined };
    const { warning: _held, ...issued } = body;
    const found = await api.get(`/api/v1/pricing/quotes/${body.quote_id}`, ann);
    expect(found.body).toEqual({ ...issued, status: 'open' });
    expect(await api.get(`/api/v1/pricing/quotes/${body.quote_id}`, await api.token('rider', 'bob'))).toMatchObject({
      status: 404,
    });

    const held = await api.redis.xrange(redisKeys(api.market).streams.quotesPending, '-', '+');
    const rows = held.map(([, [field, text = '']]): QuoteRow => {
      expect(field).toBe('quote');
      return JSON.parse(text);
    });
    expect(new Set(rows.map(({ quoteId }) => quoteId))).toEqual(new Set(quotes.map(({ body }) => body.quote_id)));
    expect(rows).toHaveLength(quotes.length);
    await storePendingQuotes(api.pool, [...rows, ...rows]);
    await storePendingQuotes(api.pool, rows);
    postgres.mend();
    await eventually(() => api.service.deps.clock.answering);
    const stored = await api.get(`/api/v1/pricing/quotes/${body.quote_id}`, ann);
    expect(stored.body).toEqual({ ...issued, status: 'open' });
  });

  it('what cannot be found cannot be denied either', async () => {
    const { api, ann, postgres } = cut;
    postgres.cut();
    const answer = await api.get(`/api/v1/pricing/quotes/${crypto.randomUUID()}`, ann);
    expect(answer).toMatchObject({ status: 503, body: { type: '/problems/store-unavailable' } });
  });

  it('and Redis too, quotes live in this process until the database is back', async () => {
    const { api, ann, postgres, redis } = cut;
    postgres.cut();
    redis.cut();
    await redisGone(cut);
    const { status, body } = await api.post(estimate, asked, ann);
    expect([status, body.surge_multiplier]).toEqual([200, 1.5]);
    expect(openQuote([api.keys.quoteSigning], body.quote_token, 'ann')).toMatchObject({ q: body.quote_id });
    const path = `/api/v1/pricing/quotes/${body.quote_id}`;
    expect(await api.get(path, ann)).toMatchObject({ status: 200, body: { status: 'open' } });
    const ready = await eventually(async () => {
      const answer = await api.get('/readyz');
      return answer.body.checks.postgres === 'away' && answer;
    });
    expect(ready).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { redis: 'away', geography: 'ok', prices: 'ok' } },
    });
    postgres.mend();
    const stored = await eventually(() => readQuote(api.pool, body.quote_id));
    expect(stored.validUntilMs).toBe(Date.parse(body.quote_valid_until));
  });

  it('the breaker opens, and closes as soon as the database has answered', async () => {
    const { api, ann, postgres } = cut;
    const { postgresGuard } = api.service.deps;
    postgres.cut();
    await eventually(async () => {
      await api.post(estimate, asked, ann);
      return postgresGuard.away;
    });
    postgres.mend();
    await eventually(() => !postgresGuard.away);
    const { body } = await api.post(estimate, asked, ann);
    expect(body).not.toHaveProperty('warning');
  });
});
