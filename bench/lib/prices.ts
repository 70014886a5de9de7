import type { Redis } from 'ioredis';
import { parseEntry } from '../../db/board.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import type { BoardEntry } from '../../domain/decision.ts';
import { type MarketId, type ZoneKey, zoneKey } from '../../domain/ids.ts';

export interface PriceNews {
  readonly key: ZoneKey;
  readonly entry: BoardEntry;
  /** A new version, or the tick of an old one. */
  readonly changed: boolean;
  readonly atMs: number;
}

/** Hears every price of a market as the API does. */
export class PriceWatch {
  readonly #subscriber: Redis;
  readonly #versions = new Map<ZoneKey, number>();
  readonly #listeners = new Set<(news: PriceNews) => void>();
  decisions = 0;
  ticks = 0;

  private constructor(subscriber: Redis) {
    this.#subscriber = subscriber;
    subscriber.on('message', (_channel: string, text: string) => this.#hear(text));
  }

  static async open(redis: Redis, market: MarketId): Promise<PriceWatch> {
    const subscriber = redis.duplicate();
    const watch = new PriceWatch(subscriber);
    await subscriber.subscribe(redisKeys(market).channels.prices);
    return watch;
  }

  /** How many zones were heard of. */
  get zones(): number {
    return this.#versions.size;
  }

  version(key: ZoneKey): number | undefined {
    return this.#versions.get(key);
  }

  listen(listener: (news: PriceNews) => void): void {
    this.#listeners.add(listener);
  }

  resetCounts(): void {
    this.decisions = 0;
    this.ticks = 0;
  }

  close(): void {
    this.#subscriber.disconnect();
  }

  #hear(text: string): void {
    const atMs = performance.now();
    const entry = parseEntry(text);
    const key = zoneKey(entry.zoneId, entry.vehicleClass);
    const changed = entry.version > (this.#versions.get(key) ?? 0);
    this.#versions.set(key, entry.version);
    if (changed) this.decisions += 1;
    else this.ticks += 1;
    for (const listener of this.#listeners) listener({ key, entry, changed, atMs });
  }
}
