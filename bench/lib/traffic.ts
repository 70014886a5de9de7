import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { loadMarkets } from '../../db/markets.ts';
import type { Point } from '../../domain/distance.ts';
import type { DemandEvent, LocationEvent } from '../../domain/events.ts';
import { ZoneIndex } from '../../geo/zone-index.ts';
import { projectRoot } from '../../platform/paths.ts';

/** Where people in New York asked for rides on the shipped day, as far as the market serves. */
export async function pickups(pool: Pool): Promise<Point[]> {
  const index = new ZoneIndex(await loadMarkets(pool));
  const text = readFileSync(join(projectRoot(), 'data', 'nyc-uber-pickups-2014-04-04.csv'), 'utf8');
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .map(([, latitude, longitude]) => ({ latitude: Number(latitude), longitude: Number(longitude) }))
    .filter(({ latitude, longitude }) => index.at(latitude, longitude) !== undefined);
}

/** About 5 m at these latitudes. */
const stepDegrees = 0.000_05;

/** Drivers that send fixes in turn, each a few metres from its last and never of the same millisecond. */
export class Fleet {
  readonly #drivers: { readonly id: string; place: Point; lastMs: number }[];
  #next = 0;

  constructor(name: string, places: readonly Point[]) {
    this.#drivers = places.map((place, i) => ({ id: `${name}-${i}`, place, lastMs: 0 }));
  }

  get size(): number {
    return this.#drivers.length;
  }

  /** The next driver's fix of now; standing drivers stay in their zones for good. */
  fix(standing = false): LocationEvent {
    const driver = this.#drivers[this.#next % this.#drivers.length];
    if (driver === undefined) throw new Error('a fleet without drivers');
    this.#next += 1;
    const nowMs = Math.max(Date.now(), driver.lastMs + 1);
    driver.lastMs = nowMs;
    if (!standing) {
      const { latitude, longitude } = driver.place;
      driver.place = { latitude: latitude + wander(), longitude: longitude + wander() };
    }
    const common = { kind: 'fix', eventId: randomUUID(), driverId: driver.id, ...driver.place } as const;
    const sent = { speed: 8.5, heading: 90, accuracy: 6, isAvailable: true, vehicleType: 'standard' } as const;
    return { ...common, ...sent, timestampMs: nowMs, receivedAtMs: nowMs };
  }

  fixes(count: number, standing = false): LocationEvent[] {
    return Array.from({ length: count }, () => this.fix(standing));
  }
}

function wander(): number {
  return (Math.random() - 0.5) * 2 * stepDegrees;
}

/** A ride request of a rider nobody has seen before. */
export function rideRequest({ latitude, longitude }: Point): DemandEvent {
  const nowMs = Date.now();
  const rider = randomUUID().slice(0, 22);
  const common = { eventId: randomUUID(), kind: 'ride_request', rider, latitude, longitude } as const;
  return { ...common, vehicleType: 'standard', timestampMs: nowMs, receivedAtMs: nowMs };
}
