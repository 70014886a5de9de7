import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Pool } from 'pg';
import { storeMarket } from '../../db/markets.ts';
import { readPricingConfigs } from '../../db/pricing-config.ts';
import { marketsKey } from '../../db/redis-keys.ts';
import { defaultTariff } from '../../domain/fare.ts';
import type { MarketId } from '../../domain/ids.ts';
import { createPool } from '../../platform/connections.ts';
import { loadGeography, watchGeography } from '../../workers/geography.ts';
import { type Proxy, startProxy } from '../api/proxy.ts';
import { zone } from '../db/live-fixtures.ts';
import { redisMarket, type RedisMarket } from '../db/redis-market.ts';
import { eventually, freshDatabase, freshMarketId, type TestDatabase } from '../harness.ts';
import { silent } from './loops.ts';

let market: RedisMarket;
let database: TestDatabase;
let proxy: Proxy;
let pool: Pool;
beforeEach(async () => {
  [market, database] = [redisMarket(), await freshDatabase()];
  proxy = await startProxy(database.url);
  pool = createPool(proxy.url);
  await market.redis.del(marketsKey);
  await store(market.market);
});
afterEach(async () => {
  await pool.end();
  await proxy[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await market.redis.del(marketsKey);
  await market[Symbol.asyncDispose]();
});

const square = (side: number) => [
  [
    [0, 0],
    [side, 0],
    [side, side],
    [0, side],
    [0, 0],
  ],
];

async function store(marketId: MarketId, side = 1): Promise<void> {
  await storeMarket(database.pool, {
    marketId,
    name: 'Square',
    timeZone: 'UTC',
    currency: 'USD',
    tariff: defaultTariff,
    speedByHour: null,
    averageBaseFare: 14.44,
    boundary: { type: 'Polygon', coordinates: square(side) },
  });
}

const source = (wanted?: readonly string[]) => ({ pool, redis: market.redis, log: silent, wanted });

it('lets a worker start while Postgres is away, with the map and the configurations that were read last', async () => {
  const before = await loadGeography(source());
  const configs = await readPricingConfigs(pool, market.redis, market.market);
  await eventually(async () => (await market.redis.exists(marketsKey, market.keys.pricingConfigs)) === 2);
  proxy.cut();
  const after = await loadGeography(source());
  expect(after.markets).toEqual(before.markets);
  expect(after.index.at(0.5, 0.5)).toEqual(before.index.at(0.5, 0.5));
  const kept = await readPricingConfigs(pool, market.redis, market.market);
  expect(kept.of(zone('aaa'), 'car')).toEqual(configs.of(zone('aaa'), 'car'));
  expect(kept.of(zone('aaa'), 'car')).toBeDefined();
  expect(kept.rules).toEqual(configs.rules);
});

it('says that nothing can be read while Postgres is away and nothing was kept', async () => {
  proxy.cut();
  await expect(readPricingConfigs(pool, market.redis, market.market)).rejects.toThrow();
  let loaded = false;
  const loading = loadGeography(source()).finally(() => {
    loaded = true;
  });
  await eventually(async () => (await market.redis.exists(marketsKey)) === 0);
  expect(loaded).toBe(false);
  proxy.mend();
  await loading;
});

it('tells once that a market came or its boundary moved, and not while nothing changes or Postgres is away', async () => {
  const reasons: string[] = [];
  const watched = async (wanted?: readonly string[]) => {
    const from = source(wanted);
    return watchGeography(from, await loadGeography(from), (reason) => reasons.push(reason), 20);
  };
  const mine = await watched([market.market]);
  await store(freshMarketId());
  proxy.cut();
  await expect(pool.query('select 1')).rejects.toThrow();
  proxy.mend();
  const kept = async () => JSON.parse((await market.redis.hget(marketsKey, 'markets')) ?? '[]').length;
  await eventually(async () => (await kept()) === 2);
  expect(reasons).toEqual([]);
  const all = await watched();
  await store(freshMarketId());
  await eventually(() => reasons.length === 1);
  await all.stop();
  await store(market.market, 2);
  await eventually(() => reasons.length === 2);
  await mine.stop();
  expect(reasons).toEqual(['the map changed', 'the map changed']);
});
