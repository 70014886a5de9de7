import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { lastFixes, type LocationFlag } from '../../db/locations.ts';
import { type LocationEvent, worstUsableAccuracyMeters } from '../../domain/events.ts';
import { countableAgeMs } from '../../domain/observation.ts';
import { isPlausible, type TimedPlace } from '../../domain/plausibility.ts';

const driversRemembered = 200_000;

export interface Flagged {
  readonly flags: readonly (readonly LocationFlag[])[];
  /** To be called once the batch is stored: only then are its fixes the last recorded ones. */
  readonly remember: () => void;
}

/** Says of each fix why it is of no use for supply, by the same rules as the live state. */
export class FixFlags {
  readonly #pool: Pool;
  readonly #last = new LRUCache<string, TimedPlace>({ max: driversRemembered });

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Fixes in the order of the stream. Drivers not met before are looked up in Postgres. */
  async flag(events: readonly LocationEvent[]): Promise<Flagged> {
    const batch = await this.#lookUp(events);
    const flags = events.map((event) => flagsOf(event, batch));
    return {
      flags,
      remember: () => {
        for (const [driverId, place] of batch) this.#last.set(driverId, place);
      },
    };
  }

  async #lookUp(events: readonly LocationEvent[]): Promise<Map<string, TimedPlace>> {
    const known = new Map<string, TimedPlace>();
    const unknown = new Set<string>();
    for (const { driverId } of events) {
      const place = this.#last.get(driverId);
      if (place === undefined) unknown.add(driverId);
      else known.set(driverId, place);
    }
    if (unknown.size === 0) return known;
    const since = Math.min(...events.map(timeOf));
    return new Map([...known, ...(await lastFixes(this.#pool, [...unknown], since))]);
  }
}

function timeOf({ timestampMs, receivedAtMs }: LocationEvent): number {
  return Math.min(timestampMs, receivedAtMs);
}

/** Also moves `last` on. */
function flagsOf(event: LocationEvent, last: Map<string, TimedPlace>): LocationFlag[] {
  const { driverId, latitude, longitude } = event;
  const now = { latitude, longitude, atMs: timeOf(event) };
  if (event.receivedAtMs - now.atMs > countableAgeMs) return ['late'];
  if ((event.accuracy ?? 0) > worstUsableAccuracyMeters) return ['inaccurate'];
  const before = last.get(driverId);
  if (before !== undefined && now.atMs <= before.atMs) return [];
  last.set(driverId, now);
  return before === undefined || isPlausible(before, now) ? [] : ['implausible'];
}
