import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { firstRecordedAfter } from '../../db/checks.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import type { MarketId } from '../../domain/ids.ts';

/** How recovery is looked for: past the parts that were killed, straight at the stores. */
export interface Watch {
  readonly redis: Redis;
  readonly pool: Pool;
  readonly market: MarketId;
  readonly apiUrl: string;
}

interface Sign {
  readonly name: string;
  readonly seen: (watch: Watch, sinceMs: number) => Promise<boolean>;
}

const ready: Sign = {
  name: 'readyz answers',
  seen: async ({ apiUrl }) => (await fetch(new URL('/readyz', apiUrl), { signal: AbortSignal.timeout(1_000) })).ok,
};
const applied: Sign = {
  name: 'a fix applied',
  seen: async ({ redis, market }, sinceMs) => Number(await redis.hget(redisKeys(market).feed, 'watermark')) > sinceMs,
};
const signalled: Sign = {
  name: 'a zone signalled',
  seen: ({ redis, market }, sinceMs) => newest(redis, redisKeys(market).active, sinceMs),
};
const priced: Sign = {
  name: 'a fresh price',
  seen: ({ redis, market }, sinceMs) => newest(redis, redisKeys(market).priced, sinceMs),
};
const recorded: Sign = {
  name: 'a new fix in history',
  seen: ({ pool, market }, sinceMs) => firstRecordedAfter(pool, market, sinceMs),
};

/** What shows, in this order, that the work of a part goes on; each sign must be younger than the one before. */
export const parts: Readonly<Record<string, readonly Sign[]>> = {
  ingestion: [applied, signalled],
  recorder: [recorded],
  zones: [priced],
  api: [ready],
  temporal: [signalled, priced],
  redis: [applied, priced],
  postgres: [recorded],
};

async function newest(redis: Redis, key: string, sinceMs: number): Promise<boolean> {
  return (await redis.zcount(key, `(${sinceMs}`, '+inf')) > 0;
}

export interface Recovery {
  readonly part: string;
  readonly killedAt: string;
  /** Each sign with the ms from the kill until it was seen. */
  readonly signs: readonly { readonly name: string; readonly afterMs: number }[];
  /** null when it did not come back in time. */
  readonly recoveredMs: number | null;
}

const lookEveryMs = 50;

/** Looks for the signs of a part that was just killed. */
export async function watchRecovery(
  watch: Watch,
  part: string,
  killedAtMs: number,
  timeoutMs: number,
): Promise<Recovery> {
  const signs: { name: string; afterMs: number }[] = [];
  let sinceMs = killedAtMs;
  for (const { name, seen } of parts[part] ?? []) {
    while (!(await seen(watch, sinceMs).catch(() => false))) {
      if (Date.now() - killedAtMs > timeoutMs) return recovery(part, killedAtMs, signs, null);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    sinceMs = Date.now();
    signs.push({ name, afterMs: sinceMs - killedAtMs });
  }
  return recovery(part, killedAtMs, signs, sinceMs - killedAtMs);
}

function recovery(part: string, atMs: number, signs: Recovery['signs'], recoveredMs: number | null): Recovery {
  return { part, killedAt: new Date(atMs).toISOString(), signs, recoveredMs };
}
