import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { pricedZones, readCounts } from '../db/board.ts';
import { redisKeys } from '../db/redis-keys.ts';
import type { MarketId } from '../domain/ids.ts';

export interface Figures {
  readonly zonesPriced: number;
  readonly zonesSurging: number;
  readonly highest: number;
  /** Taken into the streams since Redis began. */
  readonly events: number;
  readonly quotes: number;
}

/** From here on a zone counts as surging, in hundredths. */
const surgingFrom = 120;

/** What the status line shows; undefined while Redis or Postgres is away. */
export async function readFigures(
  redis: Redis,
  pool: Pool,
  markets: readonly MarketId[],
): Promise<Figures | undefined> {
  try {
    const perMarket = await Promise.all(markets.map((market) => readMarket(redis, market)));
    const { rows } = await pool.query<{ count: string }>('select count(*) from quotes');
    return {
      zonesPriced: sum(perMarket.map(({ multipliers }) => multipliers.length)),
      zonesSurging: sum(perMarket.map(({ multipliers }) => multipliers.filter((value) => value >= surgingFrom).length)),
      highest: Math.max(100, ...perMarket.flatMap(({ multipliers }) => multipliers)) / 100,
      events: sum(perMarket.map(({ events }) => events)),
      quotes: Number(rows[0]?.count ?? 0),
    };
  } catch {
    return undefined;
  }
}

async function readMarket(redis: Redis, market: MarketId) {
  const { streams } = redisKeys(market);
  const entries = await readCounts(redis, market, await pricedZones(redis, market));
  const events = await Promise.all([streams.locations, streams.demand].map((stream) => entriesAdded(redis, stream)));
  return {
    multipliers: entries.flatMap((entry) => (entry === undefined ? [] : [entry.multiplier])),
    events: sum(events),
  };
}

/** A stream remembers how many entries it ever got, whatever was trimmed since. */
async function entriesAdded(redis: Redis, stream: string): Promise<number> {
  const answer: unknown = await redis.xinfo('STREAM', stream).catch(() => []);
  if (!Array.isArray(answer)) return 0;
  const at = answer.indexOf('entries-added');
  return at < 0 ? 0 : Number(answer[at + 1]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
