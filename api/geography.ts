import type { Logger } from 'pino';
import type { Pool } from 'pg';
import { loadMarkets } from '../db/markets.ts';
import { loadPricingConfigs, type PricingConfigs } from '../db/pricing-config.ts';
import { defaultPricingConfig } from '../domain/config.ts';
import type { Tariff } from '../domain/fare.ts';
import type { MarketId, VehicleClass, ZoneId } from '../domain/ids.ts';
import { localHour } from '../domain/rush-hour.ts';
import { toHundredths } from '../domain/units.ts';
import { ZoneIndex } from '../geo/zone-index.ts';
import type { PriceLimits } from './prices.ts';
import { Problem } from './problem.ts';

export interface GeographyOptions {
  readonly pool: Pool;
  readonly log: Logger;
  /** Told after each load, with the markets there are now. */
  readonly onLoad?: (markets: readonly MarketId[]) => void;
  /** Between loads; 60 s. */
  readonly reloadMs?: number;
  /** Between attempts while nothing was ever loaded; 2 s. */
  readonly retryMs?: number;
}

/** Markets, zones, tariffs and price limits in memory; loaded from Postgres, kept while it is away. */
export class Geography {
  readonly #options: GeographyOptions;
  #map: ZoneIndex | undefined;
  #shape = '';
  #configs: ReadonlyMap<MarketId, PricingConfigs> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: GeographyOptions) {
    this.#options = options;
  }

  get loaded(): boolean {
    return this.#map !== undefined;
  }

  /** Throws `geography-unavailable` before the first load. */
  map(): ZoneIndex {
    if (this.#map === undefined) throw new Problem('geography-unavailable', { retryAfterSeconds: 5 });
    return this.#map;
  }

  markets(): readonly MarketId[] {
    return this.#map?.markets().map(({ marketId }) => marketId) ?? [];
  }

  /** The market's tariff with the speed of this hour of its day. */
  tariff(marketId: MarketId, nowMs: number): Tariff | undefined {
    const market = this.#map?.market(marketId);
    if (market === undefined || market.speedByHour === null) return market?.tariff;
    const speedKmh = market.speedByHour[localHour(nowMs, market.timeZone)] ?? market.tariff.speedKmh;
    return { ...market.tariff, speedKmh };
  }

  limits(marketId: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass): PriceLimits {
    const config = this.#configs.get(marketId)?.of(zoneId, vehicleClass) ?? defaultPricingConfig;
    return { floor: toHundredths(config.minMultiplier), maxChangePerPeriod: config.maxChangePerPeriod };
  }

  /** Loads now and from then on. Resolves after the first attempt, also when it failed. */
  async start(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      this.#options.log.warn({ err: error, loaded: this.loaded }, 'loading the markets failed');
    }
    if (this.#stopped) return;
    const { reloadMs = 60_000, retryMs = 2_000 } = this.#options;
    this.#timer = setTimeout(() => void this.start(), this.loaded ? reloadMs : retryMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #load(): Promise<void> {
    const { pool, onLoad } = this.#options;
    const geographies = await loadMarkets(pool);
    const ids = geographies.map(({ marketId }) => marketId);
    this.#configs = new Map(
      await Promise.all(ids.map(async (id) => [id, await loadPricingConfigs(pool, id)] as const)),
    );
    // Building the index costs more than comparing; most loads bring nothing new.
    const shape = JSON.stringify(geographies);
    if (shape !== this.#shape) {
      this.#map = new ZoneIndex(geographies);
      this.#shape = shape;
    }
    onLoad?.(ids);
  }
}
