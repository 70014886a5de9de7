import { LRUCache } from 'lru-cache';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { readEntries } from '../db/board.ts';
import { lastRecordedPrice } from '../db/prices.ts';
import type { PriceSource } from '../db/quotes.ts';
import { priceTtlMs } from '../domain/config.ts';
import type { BoardEntry, Factor } from '../domain/decision.ts';
import { type DriftingPrice, driftedPrice } from '../domain/drift.ts';
import { type MarketId, type VehicleClass, type ZoneId, zoneKey } from '../domain/ids.ts';
import { fromHundredths, type Hundredths } from '../domain/units.ts';
import type { Guard } from './guard.ts';
import { isNewer, type PriceBoard } from './price-board.ts';

/** A multiplier that may be quoted now, and where it comes from. */
export interface Price {
  readonly multiplier: Hundredths;
  readonly version: number;
  /** ms since 1970 of the state behind it; null where there is none. */
  readonly asOfMs: number | null;
  readonly source: PriceSource;
  /** How the multiplier came about, each `after` the next `before`. */
  readonly explanation: readonly Factor[];
  readonly entry?: BoardEntry | undefined;
}

/** Where a zone's price cannot fall below, and how fast it may get there. */
export type PriceLimits = Pick<BoardEntry, 'floor' | 'maxChangePerPeriod'>;

export interface PricesOptions {
  readonly board: PriceBoard;
  readonly redis: Redis;
  readonly pool: Pool;
  readonly redisGuard: Guard;
  readonly postgresGuard: Guard;
  readonly limits: (market: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass) => PriceLimits;
}

/** A price that was found outside memory, not yet drifted. */
type Found = DriftingPrice & {
  readonly version: number;
  readonly source: 'redis' | 'database';
  readonly entry?: BoardEntry | undefined;
};

/** An outage must not send every quote to look for the same price. */
const lookupLifeMs = 5_000;
/** Three sweeps missed: memory may lag behind Redis. */
const sweepIsOldMs = 15_000;
const noFactors: readonly Factor[] = [];

/** The price of a zone and class from the best source there is: memory, Redis, Postgres, at last the floor. */
export class Prices {
  readonly #options: PricesOptions;
  readonly #lookups = new LRUCache<string, { readonly found: Promise<Found | undefined> }>({
    max: 20_000,
    ttl: lookupLifeMs,
  });

  constructor(options: PricesOptions) {
    this.#options = options;
  }

  /** At once while the price is live; a promise, which never rejects, while another source must be asked. */
  price(market: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass, nowMs: number): Price | Promise<Price> {
    const { board, limits } = this.#options;
    const entry = board.entry(zoneKey(zoneId, vehicleClass));
    if (entry !== undefined && nowMs - entry.asOfMs <= priceTtlMs) return livePrice(entry);
    const quiet = entry === undefined || entry.counts.asleep;
    if (quiet && board.feedHealthy(market, nowMs)) {
      const floor = entry?.floor ?? limits(market, zoneId, vehicleClass).floor;
      return { ...floorPrice(floor, 'live'), version: entry?.version ?? 0, entry };
    }
    return this.#stalePrice(market, zoneId, vehicleClass, nowMs);
  }

  async #stalePrice(market: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass, nowMs: number): Promise<Price> {
    const elsewhere = await this.#lookup(market, zoneId, vehicleClass, nowMs);
    // Memory may have heard something newer since the lookup, which is remembered for a while.
    const found = newer(foundEntry(this.#options.board.entry(zoneKey(zoneId, vehicleClass))), elsewhere);
    if (found === undefined) return floorPrice(this.#options.limits(market, zoneId, vehicleClass).floor, 'tariff');
    const { version, asOfMs, source, entry } = found;
    const multiplier = driftedPrice(found, nowMs);
    return { multiplier, version, asOfMs, source, entry, explanation: explain(found, multiplier) };
  }

  #lookup(market: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass, nowMs: number): Promise<Found | undefined> {
    const key = zoneKey(zoneId, vehicleClass);
    const held = this.#lookups.get(key);
    if (held !== undefined) return held.found;
    const found = this.#newest(market, zoneId, vehicleClass, nowMs);
    this.#lookups.set(key, { found });
    return found;
  }

  async #newest(
    market: MarketId,
    zoneId: ZoneId,
    vehicleClass: VehicleClass,
    nowMs: number,
  ): Promise<Found | undefined> {
    const { board, limits } = this.#options;
    const key = zoneKey(zoneId, vehicleClass);
    let best = foundEntry(board.entry(key));
    if (board.sweptAgo(market, nowMs) > sweepIsOldMs) {
      best = newer(best, await this.#fromRedis(market, zoneId, vehicleClass));
    }
    if (best !== undefined && nowMs - best.asOfMs <= priceTtlMs) return best;
    const recorded = await this.#fromPostgres(zoneId, vehicleClass);
    if (recorded === undefined) return best;
    const { floor, maxChangePerPeriod } = best ?? limits(market, zoneId, vehicleClass);
    return newer(best, { ...recorded, floor, maxChangePerPeriod, source: 'database' });
  }

  async #fromRedis(market: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass): Promise<Found | undefined> {
    const { redis, redisGuard } = this.#options;
    if (redis.status !== 'ready') return undefined;
    try {
      const [entry] = await redisGuard.run(() => readEntries(redis, market, [zoneKey(zoneId, vehicleClass)]));
      return foundEntry(entry);
    } catch {
      return undefined;
    }
  }

  async #fromPostgres(zoneId: ZoneId, vehicleClass: VehicleClass) {
    try {
      return await this.#options.postgresGuard.run(() => lastRecordedPrice(this.#options.pool, zoneId, vehicleClass));
    } catch {
      return undefined;
    }
  }
}

function livePrice(entry: BoardEntry): Price {
  const { multiplier, version, asOfMs, decision } = entry;
  return { multiplier, version, asOfMs, source: 'live', entry, explanation: decision?.factors ?? noFactors };
}

/** Without any price to go by: the floor, version 0. */
export function floorPrice(floor: Hundredths, source: PriceSource): Price {
  return { multiplier: floor, version: 0, asOfMs: null, source, explanation: noFactors };
}

function foundEntry(entry: BoardEntry | undefined): Found | undefined {
  return entry === undefined ? undefined : { ...entry, source: 'redis', entry };
}

function newer(one: Found | undefined, other: Found | undefined): Found | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return isNewer(other, one) ? other : one;
}

function explain(found: Found, multiplier: Hundredths): readonly Factor[] {
  const factors = found.entry?.decision?.factors ?? noFactors;
  if (multiplier === found.multiplier) return factors;
  const [before, after] = [fromHundredths(found.multiplier), fromHundredths(multiplier)];
  return [...factors, { rule: 'drift', before, after, detail: 'no news of this zone: the price moves to its floor' }];
}
