import { haversineKm, type Point } from '../../domain/distance.ts';
import { UsageError } from '../context.ts';
import type { Pickup } from './pickups.ts';
import { pick, type Random, randomFrom } from './random.ts';

export interface PlannedRequest {
  /** Wall time since the begin of the window, ms. */
  readonly atMs: number;
  readonly pickup: Point;
  readonly dropoff: Point;
  /** One rider in three asks for the price before requesting. */
  readonly asksFirst: boolean;
}

/** A window of the file, moved to begin at 0 and compressed. */
export interface Plan {
  readonly requests: readonly PlannedRequest[];
  /** Length of the window in wall time, ms. */
  readonly lengthMs: number;
  /** Where people were picked up in the window: dense places stand here often. */
  readonly places: readonly Point[];
}

export interface PlanOptions {
  /** Minutes since midnight of the first day in the file; undefined begins at its first pickup. */
  readonly fromMinute: number | undefined;
  /** undefined plays to the end of the file. */
  readonly toMinute: number | undefined;
  /** How much faster than life. */
  readonly speed: number;
  readonly seed: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** The same file, window, speed and seed give the same plan. */
export function planRequests(pickups: readonly Pickup[], options: PlanOptions): Plan {
  const { fromMinute, toMinute, speed, seed } = options;
  const first = pickups[0]?.atMs ?? 0;
  const midnight = Math.floor(first / dayMs) * dayMs;
  const begin = fromMinute === undefined ? first : midnight + fromMinute * minuteMs;
  const end = toMinute === undefined ? (pickups.at(-1)?.atMs ?? 0) + minuteMs : midnight + toMinute * minuteMs;
  const chosen = pickups.filter(({ atMs }) => atMs >= begin && atMs < end);
  if (chosen.length === 0) throw new UsageError('There is no pickup between these times in the file.');
  const random = randomFrom(seed);
  const places = chosen.map(({ place }) => place);
  // A file that knows only minutes would send each minute's riders at one instant.
  const spreadMs = chosen.every(({ atMs }) => atMs % minuteMs === 0) ? minuteMs : 0;
  const times = chosen.map(({ atMs }) => Math.floor((atMs - begin + random() * spreadMs) / speed));
  const requests = chosen.map(({ place }, i) => ({
    atMs: times[i] ?? 0,
    pickup: place,
    dropoff: dropoffFor(random, place, places),
  }));
  return {
    requests: requests
      .toSorted((one, other) => one.atMs - other.atMs)
      .map((request, i) => ({ ...request, asksFirst: i % 3 === 0 })),
    lengthMs: Math.max(1, Math.ceil((end - begin) / speed)),
    places,
  };
}

const shortestRideKm = 1;
const longestRideKm = 2;
const draws = 20;

/** Another pickup's place at the distance of a ride in town; where a lonely place has none, the nearest that was drawn. */
function dropoffFor(random: Random, from: Point, places: readonly Point[]): Point {
  let best: { place: Point; km: number } | undefined;
  for (let i = 0; i < draws; i += 1) {
    const place = pick(random, places);
    const km = haversineKm(from, place);
    if (km >= shortestRideKm && km <= longestRideKm) return place;
    if (km >= shortestRideKm && (best === undefined || km < best.km)) best = { place, km };
  }
  return best?.place ?? pick(random, places);
}
