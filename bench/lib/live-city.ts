import { redisKeys } from '../../db/redis-keys.ts';
import { appendLocations } from '../../db/streams.ts';
import type { Point } from '../../domain/distance.ts';
import { type BenchZone, cellsMarket, cellZones, storeCellsMarket } from './cells-market.ts';
import { PriceWatch } from './prices.ts';
import type { Rig } from './rig.ts';
import { Fleet, rideRequest } from './traffic.ts';
import { until } from './wait.ts';

const driversPerZone = 2;
const fixEveryMs = 5_000;

/** More than two drivers' worth, also when smoothed with 18 quiet neighbours: the price leaves its floor for sure. */
export const burstRequests = 20;

/** Zones that are really awake: drivers who stand in them report every few seconds, workflows tick, prices are refreshed. */
export class LiveCity {
  readonly rig: Rig;
  readonly prices: PriceWatch;
  zones: readonly BenchZone[] = [];
  #fleet: Fleet | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(rig: Rig, prices: PriceWatch) {
    this.rig = rig;
    this.prices = prices;
  }

  /** The real ingestion, recorder and zone worker on the market of cells, with room for so many zones. */
  static async open(rig: Rig, most: number): Promise<LiveCity> {
    await storeCellsMarket(rig.pool);
    const prices = await PriceWatch.open(rig.redis, cellsMarket);
    await rig.start('zones', 'workers/zones.js', { env: { EQUILIBRIUM_ZONES_HELD: String(most) } });
    await rig.start('recorder', 'workers/recorder/main.js');
    await rig.start('ingestion', 'workers/ingestion/main.js');
    return new LiveCity(rig, prices);
  }

  /** Wakes zones up to this number and waits until each has ticked; answers how many have when the patience is over. */
  async grow(count: number): Promise<number> {
    this.zones = cellZones(count);
    const places = this.zones.flatMap(({ center }) => Array.from({ length: driversPerZone }, () => center));
    this.#fleet = new Fleet('standing', places);
    const everyMs = 100;
    const perStep = Math.max(1, Math.round((places.length * everyMs) / fixEveryMs));
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.#report(perStep), everyMs);
    const mostMs = 120_000 + count * 40;
    await until('all zones are priced', () => this.prices.zones >= count, { mostMs }).catch(() => {});
    // While the feed is doubted no price rises.
    const { feed } = redisKeys(cellsMarket);
    await until('the feed is believed', async () => (await this.rig.redis.hget(feed, 'state')) === 'healthy', {
      mostMs: 120_000,
    });
    return this.prices.zones;
  }

  async #report(fixes: number): Promise<void> {
    if (this.#fleet !== undefined) await appendLocations(this.rig.redis, cellsMarket, this.#fleet.fixes(fixes, true));
  }

  /** Many riders ask at once: one MULTI, so that ingestion sees them together. Answers when it was sent (ms of this process). */
  async burst(place: Point): Promise<number> {
    const multi = this.rig.redis.multi();
    for (let i = 0; i < burstRequests; i += 1) {
      multi.xadd(redisKeys(cellsMarket).streams.demand, '*', 'event', JSON.stringify(rideRequest(place)));
    }
    const atMs = performance.now();
    await multi.exec();
    return atMs;
  }

  close(): void {
    clearInterval(this.#timer);
    this.prices.close();
  }
}
