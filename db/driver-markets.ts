import type { Redis } from 'ioredis';
import { type MarketId, parseMarketId } from '../domain/ids.ts';
import { driverMarketKey } from './redis-keys.ts';

/** The last market of each driver, in the order asked; undefined for a driver without a fresh fix. */
export async function driverMarkets(redis: Redis, driverIds: readonly string[]): Promise<(MarketId | undefined)[]> {
  // One GET each: without a common hash tag the keys of a cluster lie apart.
  const found = await Promise.all(driverIds.map((id) => redis.get(driverMarketKey(id))));
  return found.map((market) => (market === null ? undefined : parseMarketId(market)));
}
