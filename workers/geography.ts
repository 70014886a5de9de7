import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { digestOf, keepMarkets, keptMarkets } from '../db/kept-markets.ts';
import { loadMarkets } from '../db/markets.ts';
import type { MarketGeography } from '../domain/geography.ts';
import { ZoneIndex } from '../geo/zone-index.ts';
import type { Logger } from '../platform/log.ts';
import { type Repeated, startRepeated } from './repeated.ts';

export interface GeographySource {
  readonly pool: Pool;
  /** Keeps the last map for a worker that starts while Postgres is away. */
  readonly redis: Redis;
  readonly log: Logger;
  /** undefined: all active markets. */
  readonly wanted: readonly string[] | undefined;
}

export interface Geography {
  readonly markets: readonly MarketGeography[];
  readonly index: ZoneIndex;
}

const lookEveryMs = 60_000;

/** Markets and zones from Postgres, or as Redis kept them. Waits, with one log line, until there is at least one market. */
export async function loadGeography(source: GeographySource): Promise<Geography> {
  const { redis, log, wanted } = source;
  for (let told = false; ; told = true) {
    let why = 'no market';
    const found = await readMarkets(source).catch(async (error: unknown) => {
      why = String(error);
      const kept = await keptMarkets(redis).catch(() => undefined);
      if (kept !== undefined) log.warn({ error: why }, 'Postgres is away: going on with the map that Redis kept');
      return kept ?? [];
    });
    const markets = mine(found, wanted);
    if (markets.length > 0) return { markets, index: new ZoneIndex(markets) };
    if (!told) log.warn({ error: why }, 'waiting for the markets');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/**
 * Looks now and then whether markets or zones changed since the start. A worker builds much on its map (groups, loops,
 * neighbours), so it does not exchange it: it ends, and its supervisor starts it again with the new one.
 */
export function watchGeography(
  source: GeographySource,
  { markets }: Geography,
  onChange: (reason: string) => void,
  everyMs = lookEveryMs,
): Repeated {
  const before = digestOf(markets);
  let told = false;
  return startRepeated(
    async () => {
      const now = mine(await readMarkets(source), source.wanted);
      if (told || digestOf(now) === before) return;
      told = true;
      source.log.info(
        { markets: now.map(({ marketId }) => marketId) },
        'the map changed: ending, to be started with it',
      );
      onChange('the map changed');
    },
    // While Postgres is away the map stays as it is; that it is away is said elsewhere.
    { everyMs, retryMs: everyMs, onError: () => {} },
  );
}

async function readMarkets({ pool, redis, log }: GeographySource): Promise<readonly MarketGeography[]> {
  const markets = await loadMarkets(pool);
  // Nobody waits for it: Redis may be away.
  keepMarkets(redis, markets).catch((error: unknown) => log.warn({ error: String(error) }, 'the map was not kept'));
  return markets;
}

function mine(markets: readonly MarketGeography[], wanted: readonly string[] | undefined): MarketGeography[] {
  return markets.filter(({ marketId }) => wanted?.includes(marketId) ?? true);
}
