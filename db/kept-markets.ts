import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { MarketGeography } from '../domain/geography.ts';
import { marketsKey } from './redis-keys.ts';

/** The same for the same markets, zones and cells. */
export function digestOf(markets: readonly MarketGeography[]): string {
  return createHash('sha1').update(JSON.stringify(markets)).digest('hex');
}

/** Keeps all active markets for workers that start while Postgres is away. Written only when something changed. */
export async function keepMarkets(redis: Redis, markets: readonly MarketGeography[]): Promise<void> {
  const digest = digestOf(markets);
  if ((await redis.hget(marketsKey, 'digest')) === digest) return;
  await redis.hset(marketsKey, { digest, markets: JSON.stringify(markets) });
}

/** What was kept last; undefined when nothing ever was. */
export async function keptMarkets(redis: Redis): Promise<readonly MarketGeography[] | undefined> {
  const text = await redis.hget(marketsKey, 'markets');
  if (text === null) return undefined;
  const markets: readonly MarketGeography[] = JSON.parse(text);
  return markets;
}
