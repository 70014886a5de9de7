import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { countDeadLetters, listDeadLetters, replayDeadLetters } from '../../db/dead-letters.ts';
import { groups } from '../../db/redis-keys.ts';
import { appendDemand, appendLocations, createGroups } from '../../db/streams.ts';
import { startProxy } from '../api/proxy.ts';
import { redisMarket, type RedisMarket } from '../db/redis-market.ts';
import { eventually, freshDatabase, type TestDatabase } from '../harness.ts';
import { demandOf, locationOf } from './events.ts';
import { pendingOf, startHistory, startRecords } from './loops.ts';
import { decisionOf, quoteOf, snapshotOf } from './records.ts';

let database: TestDatabase;
let market: RedisMarket;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  market = redisMarket();
  await createGroups(market.redis, market.market);
});
afterEach(() => market[Symbol.asyncDispose]());

const dayMs = 86_400_000;
const at = (secondsAgo: number) => ({ timestampMs: Date.now() - secondsAgo * 1000 });

async function rowsOf(table: string, order: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query(`select * from ${table} where market_id = $1 order by ${order}`, [
    market.market,
  ]);
  return rows;
}

const recorded = (table: string, order: string, count: number) =>
  eventually(async () => {
    const rows = await rowsOf(table, order);
    return rows.length >= count && rows;
  });

const acknowledged = (stream: string, group: string = groups.history) =>
  eventually(async () => (await pendingOf(market.redis, stream, group)) === 0);

it('records every fix with its place, and says which were of no use for supply', async () => {
  startHistory(market, database.pool);
  await appendLocations(market.redis, market.market, [
    locationOf('d1', { ...at(30), speed: 5, heading: 359.99999, vehicleType: 'xl', isAvailable: false }),
    locationOf('d1', { ...at(20), latitude: 41.5 }),
    locationOf('d1', { ...at(10), latitude: 41.5001 }),
    locationOf('d1', { ...at(5), latitude: 40.9, accuracy: 900 }),
    locationOf('d1', { timestampMs: Date.now() - 700_000 }),
  ]);
  const rows = await recorded('driver_location_events', 'time', 5);
  expect(rows.map(({ flags }) => flags)).toEqual([['late'], [], ['implausible'], [], ['inaccurate']]);
  expect(rows.map(({ zone_id }) => zone_id)).toEqual(['aaa', 'aaa', 'bbb', 'bbb', 'aaa']);
  expect(rows[1]).toMatchObject({ speed: 5, heading: 359.99999, vehicle_type: 'xl', is_available: false });
  expect(rows[1]?.['h3_cell_id']).toMatch(/^89[0-9a-f]{13}$/);
});

it('compares with the last fix in Postgres when it has just started', async () => {
  const first = startHistory(market, database.pool);
  const driver = `d-${market.market}`;
  await appendLocations(market.redis, market.market, [locationOf(driver, { timestampMs: Date.now() - 5000 })]);
  await recorded('driver_location_events', 'time', 1);
  await first.stop();
  startHistory(market, database.pool);
  await appendLocations(market.redis, market.market, [locationOf(driver, { latitude: 41.5 })]);
  const [, jump] = await recorded('driver_location_events', 'time', 2);
  expect(jump).toMatchObject({ flags: ['implausible'] });
});

it('stores an event once, however often it comes', async () => {
  startHistory(market, database.pool);
  const event = demandOf('r1');
  await appendDemand(market.redis, market.market, [event, event, demandOf('r2')]);
  await appendDemand(market.redis, market.market, [event]);
  await recorded('demand_events', 'time', 2);
  await acknowledged(market.keys.streams.demand);
  expect(await rowsOf('demand_events', 'rider_hash')).toMatchObject([
    { event_id: event.eventId, kind: 'ride_request', weight_tenths: 10, vehicle_class: 'car', zone_id: 'aaa' },
    { rider_hash: 'r2' },
  ]);
});

it('leaves the `left` of a border crossing to the market where the fix stands', async () => {
  startHistory(market, database.pool);
  await appendLocations(market.redis, market.market, [
    locationOf('d-left', { kind: 'left' }),
    locationOf('d-stays', { timestampMs: Date.now() }),
  ]);
  await recorded('driver_location_events', 'time', 1);
  await acknowledged(market.keys.streams.locations);
  expect(await rowsOf('driver_location_events', 'time')).toMatchObject([{ driver_id: 'd-stays' }]);
  expect(await countDeadLetters(market.redis, market.market)).toBe(0);
});

it('waits while Postgres is away and stores everything once it is back, each entry delivered once', async () => {
  await using proxy = await startProxy(database.url);
  proxy.cut();
  const pool = new Pool({ connectionString: proxy.url, connectionTimeoutMillis: 1000 });
  pool.on('error', () => {});
  const stream = market.keys.streams.demand;
  const history = startHistory(market, pool);
  await appendDemand(
    market.redis,
    market.market,
    Array.from({ length: 20 }, (_, i) => demandOf(`r${i}`)),
  );
  await eventually(async () => (await pendingOf(market.redis, stream, groups.history)) > 0);
  expect(await rowsOf('demand_events', 'time')).toEqual([]);
  proxy.mend();
  await recorded('demand_events', 'time', 20);
  await acknowledged(stream);
  proxy.cut();
  await appendDemand(market.redis, market.market, [demandOf('later')]);
  const pending = await eventually(async () => {
    const found = await market.redis.xpending(stream, groups.history, '-', '+', 10);
    return found.length > 0 && (found as unknown[][]);
  });
  expect(pending.map((entry) => entry[3])).toEqual([1]);
  proxy.mend();
  await recorded('demand_events', 'time', 21);
  expect(await countDeadLetters(market.redis, market.market)).toBe(0);
  await history.stop();
  await pool.end();
});

it('puts bad entries aside with their reasons and stores the healthy ones around them', async () => {
  const { redis, keys } = market;
  const stream = keys.streams.demand;
  const healthy = Array.from({ length: 25 }, (_, i) => demandOf(`r${i}`));
  const ancient = demandOf('r-ancient', { timestampMs: Date.UTC(1990, 0, 1) });
  const zero = demandOf('r\u0000zero');
  await appendDemand(redis, market.market, [...healthy.slice(0, 10), ancient, ...healthy.slice(10, 20), zero]);
  await redis.xadd(stream, '*', 'event', '{"kind":');
  await redis.xadd(stream, '*', 'event', JSON.stringify({ ...demandOf('r'), kind: 'wish' }));
  await appendDemand(redis, market.market, healthy.slice(20));
  startHistory(market, database.pool);
  expect(await recorded('demand_events', 'time', 25)).toHaveLength(25);
  await acknowledged(stream);
  const letters = await eventually(async () => {
    const found = await listDeadLetters(redis, market.market);
    return found.length === 4 && found;
  });
  expect(letters.map(({ reason }) => reason).toSorted()).toEqual([
    expect.stringContaining('invalid byte sequence'),
    expect.stringContaining('no partition'),
    expect.stringMatching(/^kind: /),
    'not JSON',
  ]);
  const [first] = letters.filter(({ reason }) => reason.includes('no partition'));
  expect(first).toMatchObject({ stream, group: groups.history, field: 'event', event: JSON.stringify(ancient) });
});

it('stores a dead letter that is replayed once its cause is gone', async () => {
  const { redis } = market;
  startHistory(market, database.pool);
  const dayAhead = Math.floor(Date.now() / dayMs) * dayMs + 10 * dayMs;
  const event = demandOf('r1', { timestampMs: dayAhead + 1000 });
  await appendDemand(redis, market.market, [event]);
  const letters = await eventually(async () => {
    const found = await listDeadLetters(redis, market.market);
    return found.length > 0 && found;
  });
  const [from, to] = [dayAhead, dayAhead + dayMs].map((ms) => new Date(ms).toISOString());
  await database.pool.query(
    `create table demand_events_ahead partition of demand_events for values from ('${from}') to ('${to}')`,
  );
  expect(await replayDeadLetters(redis, market.market, letters)).toBe(1);
  expect(await recorded('demand_events', 'time', 1)).toMatchObject([{ event_id: event.eventId }]);
  expect(await countDeadLetters(redis, market.market)).toBe(0);
  expect(await replayDeadLetters(redis, market.market, letters)).toBe(0);
});

it('stores decisions, snapshots and pending quotes, each once', async () => {
  const { redis, keys } = market;
  const decision = decisionOf(3);
  for (let twice = 0; twice < 2; twice += 1) {
    await redis.xadd(keys.streams.decisions, '*', 'decision', JSON.stringify(decision));
    await redis.xadd(keys.streams.decisions, '*', 'snapshot', JSON.stringify(snapshotOf(3)));
  }
  const quote = quoteOf(market.market, randomUUID());
  await redis.xadd(keys.streams.quotesPending, '*', 'quote', JSON.stringify(quote));
  startRecords(market, database.pool);
  await acknowledged(keys.streams.decisions, groups.recorder);
  const [log, ...noMore] = await recorded('pricing_event_logs', 'price_version', 1);
  expect(noMore).toEqual([]);
  expect(log).toMatchObject({
    zone_id: decision.zoneId,
    price_version: 3,
    old_multiplier: '1.10',
    new_multiplier: '1.25',
    factors: decision.factors,
    exempt: ['cap'],
  });
  expect(await recorded('supply_demand_snapshots', 'timestamp', 1)).toMatchObject([
    { surge_multiplier: '1.25', supply_count: 2.5, price_version: 3 },
  ]);
  expect(await recorded('quotes', 'quote_id', 1)).toMatchObject([{ quote_id: quote.quoteId }]);
});

it('puts a decision aside that breaks a constraint, and stores its neighbours', async () => {
  const { redis, keys } = market;
  const bad = { ...decisionOf(2), confidence: 1.5 };
  for (const one of [decisionOf(1), bad, decisionOf(3)]) {
    await redis.xadd(keys.streams.decisions, '*', 'decision', JSON.stringify(one));
  }
  startRecords(market, database.pool);
  const rows = await recorded('pricing_event_logs', 'price_version', 2);
  expect(rows.map(({ price_version }) => price_version)).toEqual([1, 3]);
  const [letter] = await eventually(async () => {
    const found = await listDeadLetters(redis, market.market);
    return found.length > 0 && found;
  });
  expect(letter).toMatchObject({ group: groups.recorder, field: 'decision', event: JSON.stringify(bad) });
});
