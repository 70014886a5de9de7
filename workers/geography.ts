import type { Pool } from 'pg';
import { loadMarkets } from '../db/markets.ts';
import type { MarketGeography } from '../domain/geography.ts';
import { ZoneIndex } from '../geo/zone-index.ts';
import type { Logger } from '../platform/log.ts';

export interface Geography {
  readonly markets: readonly MarketGeography[];
  readonly index: ZoneIndex;
}

/** Markets and zones from Postgres. Waits, with one log line, until Postgres answers and holds at least one market. */
export async function loadGeography(pool: Pool, log: Logger, wanted?: readonly string[]): Promise<Geography> {
  let told = false;
  for (;;) {
    const markets = await loadMarkets(pool).catch((error: unknown) => String(error));
    const mine =
      typeof markets === 'string' ? [] : markets.filter(({ marketId }) => wanted?.includes(marketId) ?? true);
    if (mine.length > 0) return { markets: mine, index: new ZoneIndex(mine) };
    if (!told) log.warn({ error: typeof markets === 'string' ? markets : 'no market' }, 'waiting for the markets');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
