import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pricedZones, publish, readCounts, readEntries, refresh } from '../../db/board.ts';
import { storeDecisions } from '../../db/decisions.ts';
import { newestRecordedPrice } from '../../db/price-log.ts';
import { snapshotOf, boardEntry, decidedZone } from '../../domain/zone-board.ts';
import { freshDatabase, type TestDatabase } from '../harness.ts';
import { decision, entry, key, nowMs, zone, zoneId } from './decisions-of-harbour.ts';
import { type RedisMarket, redisMarket } from './redis-market.ts';

describe('the price board', () => {
  let city: RedisMarket;
  beforeEach(() => {
    city = redisMarket();
  });
  afterEach(() => city[Symbol.asyncDispose]());

  const decisions = async () => {
    const entries = await city.redis.xrange(city.keys.streams.decisions, '-', '+');
    return entries.map(([, fields]) => fields[0]);
  };

  it('takes a version once: the second writer gets what the first wrote, word for word', async () => {
    const first = await publish(city.redis, city.market, entry(decision(1, 150)), null);
    expect(first).toMatchObject({ won: true, entry: { version: 1, multiplier: 150 } });
    const second = await publish(city.redis, city.market, entry(decision(1, 180)), snapshotOf(zone, nowMs));
    expect(second).toEqual({ won: false, entry: entry(decision(1, 150)) });
    expect(await decisions()).toEqual(['decision']);
  });

  it('announces a price and appends the decision and the snapshot of the tick with it', async () => {
    const listener = city.redis.duplicate();
    const heard = new Promise<string>((resolve) => listener.on('message', (_channel, text) => resolve(text)));
    await listener.subscribe(city.keys.channels.prices);
    const made = entry(decision(1, 150));
    await publish(city.redis, city.market, made, snapshotOf(zone, nowMs));
    expect(await decisions()).toEqual(['decision', 'snapshot']);
    const [state, why] = (await heard).split('\n');
    expect({ ...JSON.parse(state ?? ''), decision: JSON.parse(why ?? '') }).toEqual(made);
    listener.disconnect();
  });

  it('refreshes counts under the same version and keeps the decision', async () => {
    await publish(city.redis, city.market, entry(decision(1, 150)), null);
    const later = { ...decidedZone(zone, decision(1, 150)), supply: 7 };
    const answer = await refresh(city.redis, city.market, boardEntry(later, nowMs + 30_000), snapshotOf(later, nowMs));
    expect(answer).toEqual({ kind: 'refreshed' });
    const [held] = await readEntries(city.redis, city.market, [key]);
    expect(held).toMatchObject({ asOfMs: nowMs + 30_000, counts: { supply: 7 }, decision: decision(1, 150) });
    expect((await readCounts(city.redis, city.market, [key, 'nowhere:car'])).map((one) => one?.counts.supply)).toEqual([
      7,
      undefined,
    ]);
  });

  it('tells a zone that is behind, and a zone whose version the board lost', async () => {
    await publish(city.redis, city.market, entry(decision(1, 150)), null);
    await publish(city.redis, city.market, entry(decision(2, 170)), null);
    const behind = await refresh(city.redis, city.market, entry(decision(1, 150)), snapshotOf(zone, nowMs));
    expect(behind).toMatchObject({ kind: 'ahead', entry: { version: 2, multiplier: 170 } });
    await city.flush();
    expect(await refresh(city.redis, city.market, entry(decision(2, 170)), snapshotOf(zone, nowMs))).toEqual({
      kind: 'lost',
    });
    expect(await decisions()).toEqual([]);
  });

  it('keeps a sleeping zone on the board but not among the awake', async () => {
    await refresh(city.redis, city.market, boardEntry(zone, nowMs), snapshotOf(zone, nowMs));
    expect(await city.redis.zrange(city.keys.active, '0', '-1')).toEqual([key]);
    await refresh(city.redis, city.market, boardEntry(zone, nowMs, true), snapshotOf(zone, nowMs));
    expect(await city.redis.zrange(city.keys.active, '0', '-1')).toEqual([]);
    expect(await pricedZones(city.redis, city.market)).toEqual([key]);
  });
});

describe('the newest recorded price', () => {
  it('is the highest version of price log and quotes, and nothing for a zone at its first floor', async () => {
    await using database = await freshDatabase();
    expect(await newestRecordedPrice(database.pool, zoneId, 'car')).toBeNull();
    await storeDecisions(database.pool, 't', [decision(1, 150), { ...decision(2, 170), oldMultiplier: 150 }]);
    expect(await newestRecordedPrice(database.pool, zoneId, 'car')).toEqual({
      version: 2,
      multiplier: 170,
      atMs: nowMs,
    });
    await quoted(database, 5, 2.1, 'live');
    expect(await newestRecordedPrice(database.pool, zoneId, 'car')).toMatchObject({ version: 5, multiplier: 210 });
  });

  it('is what the log says of a version, whatever a quote of that version was charged', async () => {
    await using database = await freshDatabase();
    await quoted(database, 1, 1.2, 'live');
    await storeDecisions(database.pool, 't', [decision(1, 150)]);
    expect(await newestRecordedPrice(database.pool, zoneId, 'car')).toEqual({
      version: 1,
      multiplier: 150,
      atMs: nowMs,
    });
  });

  it('counts the version of a quote that was charged less in an outage, and not its multiplier', async () => {
    await using database = await freshDatabase();
    await quoted(database, 3, 1.3, 'redis');
    expect(await newestRecordedPrice(database.pool, zoneId, 'car')).toMatchObject({ version: 3, multiplier: 100 });
    await quoted(database, 2, 1.7, 'live');
    expect(await newestRecordedPrice(database.pool, zoneId, 'car')).toMatchObject({ version: 3, multiplier: 170 });
  });
});

async function quoted({ pool }: TestDatabase, version: number, multiplier: number, source: string): Promise<void> {
  await pool.query(
    `insert into quotes (quote_id, subject, market_id, zone_id, vehicle_class, vehicle_type, price_version, base_fare_minor,
       multiplier, final_fare_minor, currency, pickup_lat, pickup_lng, dropoff_lat, dropoff_lng, distance_km, duration_min, source)
     values (gen_random_uuid(), 's', 't', $1, 'car', 'xl', $2, 850, $3, 1785, 'USD', 0, 0, 0, 0, 1, 1, $4)`,
    [zoneId, version, multiplier, source],
  );
}
