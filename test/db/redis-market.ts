import { Redis } from 'ioredis';
import { redisKeys, type RedisKeys } from '../../db/redis-keys.ts';
import type { MarketId } from '../../domain/ids.ts';
import { freshMarketId, services } from '../harness.ts';

export interface RedisMarket extends AsyncDisposable {
  readonly redis: Redis;
  readonly market: MarketId;
  readonly keys: RedisKeys;
  /** Run before the market goes, last first. */
  readonly closing: (() => Promise<void>)[];
  /** Removes every key of the market in one step, as a flush would. */
  flush(): Promise<void>;
}

/** A market of its own in the Redis of the tests; nothing of it is left afterwards. */
export function redisMarket(): RedisMarket {
  const redis = new Redis(services().redisUrl, { maxRetriesPerRequest: null });
  const market = freshMarketId();
  const keys = redisKeys(market);
  const closing: (() => Promise<void>)[] = [];
  async function flush(): Promise<void> {
    const found: string[] = [];
    for (let cursor = '0'; ; ) {
      const [next, page] = await redis.scan(cursor, 'MATCH', `{${market}}:*`, 'COUNT', 1000);
      found.push(...page);
      cursor = next;
      if (cursor === '0') break;
    }
    if (found.length > 0) await redis.del(...found);
  }
  return {
    redis,
    market,
    keys,
    closing,
    flush,
    async [Symbol.asyncDispose]() {
      for (const close of closing.toReversed()) await close();
      await flush();
      redis.disconnect();
    },
  };
}
