import type { PricingConfigs } from '../db/pricing-config.ts';
import type { MarketId } from '../domain/ids.ts';

export interface ConfigCacheOptions {
  readonly load: (market: MarketId) => Promise<PricingConfigs>;
  readonly clock: () => number;
  /** ms after which an entry is read again. */
  readonly lifeMs: number;
}

/**
 * Configuration by market. An entry past its life is read again in the background while the old one serves on, so a
 * database that is away stops no decision; only a market that was never read makes the caller wait, or fail.
 */
export function createConfigCache({ load, clock, lifeMs }: ConfigCacheOptions) {
  const held = new Map<MarketId, { configs: PricingConfigs; atMs: number }>();
  const loading = new Map<MarketId, Promise<PricingConfigs>>();

  function read(market: MarketId): Promise<PricingConfigs> {
    const running = loading.get(market);
    if (running !== undefined) return running;
    const started = load(market)
      .then((configs) => {
        held.set(market, { configs, atMs: clock() });
        return configs;
      })
      .finally(() => loading.delete(market));
    loading.set(market, started);
    return started;
  }

  return {
    async of(market: MarketId): Promise<PricingConfigs> {
      const entry = held.get(market);
      if (entry === undefined) return read(market);
      if (clock() - entry.atMs > lifeMs) read(market).catch(() => {});
      return entry.configs;
    },
    /** Forgets what it knows of a market; the next decision reads it again. */
    invalidate(market: MarketId): void {
      held.delete(market);
    },
  };
}
