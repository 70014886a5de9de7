import type { Redis } from 'ioredis';
import { parseEntry } from '../../db/board.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import type { BoardEntry } from '../../domain/decision.ts';
import { type MarketId, type ZoneKey, zoneKey } from '../../domain/ids.ts';
import type { Hundredths } from '../../domain/units.ts';
import { Newest } from './newest.ts';

const mostWaitingPerZone = 5_000;
const mostMeasured = 100_000;

export interface WaitFigures {
  readonly measured: number;
  readonly unpriced: number;
  /** ms; null where nothing was measured. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly longest: number | null;
  /** Where and when the longest wait began. */
  readonly longest_zone: string | null;
  readonly longest_from: string | null;
}

/**
 * Listens to the prices of a market. For each ride request that was answered 202 it measures from its sending to the
 * arrival here of the first price message of its zone whose observation was read at that moment or later.
 */
export class PriceWatch {
  /** When each request was sent that no price has followed yet. */
  readonly #waiting = new Map<ZoneKey, number[]>();
  readonly #prices = new Map<ZoneKey, Hundredths>();
  readonly #measured = new Newest<number>(mostMeasured);
  #count = 0;
  #longest: { readonly waitMs: number; readonly zone: ZoneKey; readonly sentAtMs: number } | undefined;
  #unpriced = 0;

  /** The connection is for subscribing alone; it subscribes again by itself after an outage. */
  static async listen(redis: Redis, market: MarketId): Promise<PriceWatch> {
    const watch = new PriceWatch();
    redis.on('message', (_channel: string, text: string) => watch.heard(parseEntry(text), Date.now()));
    await redis.subscribe(redisKeys(market).channels.prices);
    return watch;
  }

  /** Requests whose zone has not been heard of since. */
  get waiting(): number {
    let count = 0;
    for (const list of this.#waiting.values()) count += list.length;
    return count;
  }

  /** The newest multiplier heard, in hundredths, of each zone. */
  get prices(): ReadonlyMap<ZoneKey, Hundredths> {
    return this.#prices;
  }

  requested(zone: ZoneKey, sentAtMs: number): void {
    const list = this.#waiting.get(zone) ?? [];
    this.#waiting.set(zone, list);
    list.push(sentAtMs);
    if (list.length > mostWaitingPerZone) {
      list.shift();
      this.#unpriced += 1;
    }
  }

  heard(entry: BoardEntry, nowMs: number): void {
    const zone = zoneKey(entry.zoneId, entry.vehicleClass);
    this.#prices.set(zone, entry.multiplier);
    const list = this.#waiting.get(zone);
    if (list === undefined) return;
    const observedAtMs = Math.max(entry.counts.supplyAsOfMs, entry.decision?.observedAtMs ?? 0);
    for (const sentAtMs of list) if (sentAtMs <= observedAtMs) this.#note(zone, sentAtMs, nowMs);
    this.#waiting.set(
      zone,
      list.filter((sentAtMs) => sentAtMs > observedAtMs),
    );
  }

  #note(zone: ZoneKey, sentAtMs: number, nowMs: number): void {
    const waitMs = nowMs - sentAtMs;
    this.#count += 1;
    this.#measured.add(waitMs);
    if (waitMs > (this.#longest?.waitMs ?? -1)) this.#longest = { waitMs, zone, sentAtMs };
  }

  figures(): WaitFigures {
    const sorted = this.#measured.items.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? null;
    const unpriced = this.#unpriced + this.waiting;
    return {
      measured: this.#count,
      unpriced,
      p50: at(0.5),
      p99: at(0.99),
      longest: this.#longest?.waitMs ?? null,
      longest_zone: this.#longest?.zone ?? null,
      longest_from: this.#longest === undefined ? null : new Date(this.#longest.sentAtMs).toISOString(),
    };
  }
}
