import type { Pool } from 'pg';
import type { Redis } from 'ioredis';
import { decayPeriodMs } from '../domain/config.ts';
import type { MarketId, VehicleClass, ZoneId } from '../domain/ids.ts';
import { type Hundredths, toHundredths } from '../domain/units.ts';
import { newestLogged } from './price-log.ts';
import { redisKeys } from './redis-keys.ts';
import { pairsOf } from './replies.ts';

export interface PriceIndex {
  /** `<zone>:<class>` → as_of ms of every entry on the board. */
  readonly asOf: ReadonlyMap<string, number>;
  readonly feedHealthy: boolean;
}

/** What the board of a market holds and how old it is, and whether the absence of drivers can be believed. */
export async function readPriceIndex(redis: Redis, market: MarketId): Promise<PriceIndex> {
  const keys = redisKeys(market);
  const [flat, feed, [seconds = '0']] = await Promise.all([
    redis.zrange(keys.priced, '0', '-1', 'WITHSCORES'),
    redis.hmget(keys.feed, 'state', 'watermark'),
    redis.time().then((time) => time.map(String)),
  ]);
  const [state, watermark] = feed;
  const asOf = new Map(pairsOf(flat).map(([zone, at]) => [zone, Number(at)]));
  const silentMs = Number(seconds) * 1_000 - Number(watermark ?? Number.NEGATIVE_INFINITY);
  return { asOf, feedHealthy: state === 'healthy' && silentMs <= decayPeriodMs };
}

export interface LastPrice {
  readonly version: number;
  readonly multiplier: Hundredths;
  readonly asOfMs: number;
}

/** The last that Postgres heard of a price: its newest change, or the newest tick under that or a later version. */
export async function lastRecordedPrice(
  pool: Pool,
  zoneId: ZoneId,
  vehicleClass: VehicleClass,
): Promise<LastPrice | undefined> {
  const { rows } = await pool.query<{ version: number; multiplier: number; as_of: number }>({
    name: 'price-last-recorded',
    text: `select version, multiplier::float8, floor(extract(epoch from at) * 1000)::float8 as as_of from (
             (select price_version as version, surge_multiplier as multiplier, "timestamp" as at
                from supply_demand_snapshots where zone_id = $1 and vehicle_class = $2
               order by "timestamp" desc limit 1)
             union all ${newestLogged}
           ) newest order by version desc, at desc limit 1`,
    values: [zoneId, vehicleClass],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  return { version: row.version, multiplier: toHundredths(row.multiplier), asOfMs: row.as_of };
}
