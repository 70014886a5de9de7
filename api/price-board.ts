import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { parseEntry, readEntries } from '../db/board.ts';
import { readPriceIndex } from '../db/prices.ts';
import { redisKeys } from '../db/redis-keys.ts';
import { driverTtlMs, priceTtlMs } from '../domain/config.ts';
import type { BoardEntry } from '../domain/decision.ts';
import { type MarketId, parseZoneKey, type ZoneKey, zoneKey } from '../domain/ids.ts';

export interface PriceBoardOptions {
  readonly redis: Redis;
  /** A patient connection of its own, used for SUBSCRIBE alone. */
  readonly subscriber: Redis;
  readonly log: Logger;
  /** How often what Pub/Sub may have lost is fetched; 5 s. */
  readonly sweepMs?: number;
  /** Told after each market that was read from Redis, which is a proof of its health. */
  readonly onSweep?: () => void;
}

interface MarketFeed {
  readonly healthy: boolean;
  readonly readAtMs: number;
}

/** After this long without a word, an entry that Redis no longer holds has drifted to its floor and is forgotten. */
const forgetAfterMs = priceTtlMs + 10 * 60_000;
const chunk = 500;

/** Every price in this process's memory: told by Pub/Sub, completed by a sweep, kept through an outage of Redis. */
export class PriceBoard {
  readonly #options: PriceBoardOptions;
  readonly #entries = new Map<ZoneKey, BoardEntry>();
  readonly #zones = new Map<MarketId, Set<ZoneKey>>();
  readonly #feeds = new Map<MarketId, MarketFeed>();
  readonly #channels = new Map<string, MarketId>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(options: PriceBoardOptions) {
    this.#options = options;
    options.subscriber.on('message', (channel: string, text: string) => this.#hear(channel, text));
    // What was published while the connection was away is nowhere but in Redis; subscriptions come back by themselves.
    options.subscriber.on('ready', () => void this.sweep());
  }

  /** Follows these markets from now on. Does not wait for Redis. */
  follow(markets: readonly MarketId[]): void {
    const fresh = markets.filter((market) => !this.#zones.has(market));
    for (const market of fresh) {
      const channel = redisKeys(market).channels.prices;
      this.#zones.set(market, new Set());
      this.#channels.set(channel, market);
      this.#options.subscriber.subscribe(channel).catch((error: unknown) => {
        this.#options.log.warn({ err: error, channel }, 'subscribing to prices failed');
      });
    }
    this.#timer ??= setInterval(() => void this.sweep(), this.#options.sweepMs ?? 5_000).unref();
    if (fresh.length > 0) void this.sweep();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  entry(key: ZoneKey): BoardEntry | undefined {
    return this.#entries.get(key);
  }

  /** Whether the market's drivers were known to report lately; what was read stays true for the driver TTL. */
  feedHealthy(market: MarketId, nowMs: number): boolean {
    const feed = this.#feeds.get(market);
    return feed !== undefined && feed.healthy && nowMs - feed.readAtMs <= driverTtlMs;
  }

  /** ms since the market was last compared with Redis. */
  sweptAgo(market: MarketId, nowMs: number): number {
    return nowMs - (this.#feeds.get(market)?.readAtMs ?? Number.NEGATIVE_INFINITY);
  }

  /** True once every followed market was read at least once. */
  get loaded(): boolean {
    return [...this.#zones.keys()].every((market) => this.#feeds.has(market));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Compares memory with Redis now; a sweep that is under way is joined. Never rejects. */
  async sweep(): Promise<void> {
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = undefined;
    });
    await this.#sweeping;
  }

  async #sweepAll(): Promise<void> {
    for (const market of this.#zones.keys()) {
      if (this.#options.redis.status !== 'ready') return;
      try {
        await this.#sweepMarket(market);
        this.#options.onSweep?.();
      } catch (error) {
        this.#options.log.warn({ err: error, market }, 'reading the price board failed');
      }
    }
  }

  async #sweepMarket(market: MarketId): Promise<void> {
    const index = await readPriceIndex(this.#options.redis, market);
    const missed: ZoneKey[] = [];
    for (const [text, asOfMs] of index.asOf) {
      const zone = parseZoneKey(text);
      if (zone === undefined) continue;
      const key = zoneKey(zone.zoneId, zone.vehicleClass);
      if ((this.#entries.get(key)?.asOfMs ?? -1) < asOfMs) missed.push(key);
    }
    for (let i = 0; i < missed.length; i += chunk) {
      const entries = await readEntries(this.#options.redis, market, missed.slice(i, i + chunk));
      for (const entry of entries) if (entry !== undefined) this.#take(market, entry);
    }
    const nowMs = Date.now();
    this.#feeds.set(market, { healthy: index.feedHealthy, readAtMs: nowMs });
    this.#forget(market, index.asOf, nowMs);
  }

  #forget(market: MarketId, held: ReadonlyMap<string, number>, nowMs: number): void {
    const zones = this.#zones.get(market);
    for (const key of zones ?? []) {
      const asOfMs = this.#entries.get(key)?.asOfMs ?? 0;
      if (held.has(key) || nowMs - asOfMs < forgetAfterMs) continue;
      this.#entries.delete(key);
      zones?.delete(key);
    }
  }

  #hear(channel: string, text: string): void {
    const market = this.#channels.get(channel);
    if (market === undefined) return;
    try {
      this.#take(market, parseEntry(text));
    } catch (error) {
      this.#options.log.warn({ err: error, channel }, 'a published price could not be read');
    }
  }

  /** Messages overtake one another: the newest version wins, and within a version the newest refresh. */
  #take(market: MarketId, entry: BoardEntry): void {
    const key = zoneKey(entry.zoneId, entry.vehicleClass);
    const held = this.#entries.get(key);
    if (held !== undefined && isNewer(held, entry)) return;
    this.#entries.set(key, entry);
    this.#zones.get(market)?.add(key);
  }
}

/** By version, then by `as_of`. */
export function isNewer(
  one: Pick<BoardEntry, 'version' | 'asOfMs'>,
  other: Pick<BoardEntry, 'version' | 'asOfMs'>,
): boolean {
  return one.version === other.version ? one.asOfMs > other.asOfMs : one.version > other.version;
}
