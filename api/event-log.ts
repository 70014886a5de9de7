import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { driverMarkets } from '../db/driver-markets.ts';
import { appendDemand, appendLocations } from '../db/streams.ts';
import type { DemandEvent, LocationEvent } from '../domain/events.ts';
import type { MarketId } from '../domain/ids.ts';
import type { Guard } from './guard.ts';
import { Problem } from './problem.ts';

export interface EventLogOptions {
  readonly redis: Redis;
  readonly redisGuard: Guard;
  readonly log: Logger;
}

const mostUnsentEstimates = 5_000;
/** Long enough for many to share one call, short against everything that is done with them. */
const estimatesEveryMs = 10;

/** Puts events into the streams. What it resolved for is stored; anything else is `ingest-unavailable`. */
export class EventLog {
  readonly #options: EventLogOptions;
  #estimates: { readonly market: MarketId; readonly event: DemandEvent }[] = [];
  #sending = false;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  async locations(byMarket: ReadonlyMap<MarketId, readonly LocationEvent[]>): Promise<void> {
    const { redis } = this.#options;
    await this.#stored(() =>
      Promise.all([...byMarket].map(([market, events]) => appendLocations(redis, market, events))),
    );
  }

  async demand(market: MarketId, event: DemandEvent): Promise<void> {
    await this.#stored(() => appendDemand(this.#options.redis, market, [event]));
  }

  /** The last market of each driver, for fixes outside every market. */
  driverMarkets(driverIds: readonly string[]): Promise<(MarketId | undefined)[]> {
    return this.#stored(() => driverMarkets(this.#options.redis, driverIds));
  }

  /** An estimate is demand too, but a quote never waits for it nor fails with it. */
  noteEstimate(market: MarketId, event: DemandEvent): void {
    if (this.#estimates.length >= mostUnsentEstimates) return;
    this.#estimates.push({ market, event });
    if (this.#sending) return;
    this.#sending = true;
    setTimeout(() => void this.#sendEstimates(), estimatesEveryMs);
  }

  async #sendEstimates(): Promise<void> {
    const estimates = this.#estimates;
    this.#estimates = [];
    const byMarket = groupByMarket(estimates);
    try {
      const { redis } = this.#options;
      await this.#stored(() =>
        Promise.all([...byMarket].map(([market, events]) => appendDemand(redis, market, events))),
      );
    } catch (error) {
      this.#options.log.debug({ err: error, estimates: estimates.length }, 'estimates were not counted as demand');
    } finally {
      this.#sending = this.#estimates.length > 0;
      if (this.#sending) setTimeout(() => void this.#sendEstimates(), estimatesEveryMs);
    }
  }

  async #stored<T>(write: () => Promise<T>): Promise<T> {
    const { redis, redisGuard } = this.#options;
    try {
      if (redis.status !== 'ready') throw new Error('Redis is not connected');
      return await redisGuard.run(write);
    } catch (error) {
      throw new Problem('ingest-unavailable', { retryAfterSeconds: redisGuard.retryAfterSeconds, cause: error });
    }
  }
}

export function groupByMarket<Event>(
  items: readonly { readonly market: MarketId; readonly event: Event }[],
): Map<MarketId, Event[]> {
  const byMarket = new Map<MarketId, Event[]>();
  for (const { market, event } of items) {
    const events = byMarket.get(market);
    if (events === undefined) byMarket.set(market, [event]);
    else events.push(event);
  }
  return byMarket;
}
