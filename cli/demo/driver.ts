import { haversineKm, type Point } from '../../domain/distance.ts';
import { between, pick, type Random, randomOf } from './random.ts';

/** A straight way at one speed. Times are wall time since the begin, ms. */
export interface Leg {
  readonly kind: 'wander' | 'to-pickup' | 'with-rider';
  readonly from: Point;
  readonly to: Point;
  readonly startMs: number;
  readonly endMs: number;
  /** m/s; 0 while standing. */
  readonly speed: number;
  /** Degrees clockwise from north. */
  readonly heading: number;
}

/** Changed in place by `settle` and by whoever sends it to a rider; free exactly while it wanders. */
export interface Driver {
  readonly index: number;
  readonly random: Random;
  /** m/s with a rider or on the way to one. */
  readonly tripSpeed: number;
  leg: Leg;
  next: Leg | undefined;
}

/** What a free driver looks at to choose where to go. */
export interface Town {
  readonly drivers: readonly Driver[];
  /** Where people are picked up: dense places stand here often. */
  readonly places: readonly Point[];
}

/** Nobody drives faster than 30 m/s of wall time; the fastest keep a little below it, for rounding. */
export const fastestMetersPerSecond = 29;
const slowestTrip = 27;
const wanderSpeeds = [8, 15] as const;

/** A free driver thinks again after this time at the latest. */
const longestWanderMs = 120_000;
const shortestLegMs = 2_000;

/** A driver begins where somebody was picked up, so most begin where pickups are dense. */
export function makeDriver(index: number, seed: number, places: readonly Point[]): Driver {
  const random = randomOf(seed, index);
  const start = near(random, pick(random, places));
  const tripSpeed = between(random, slowestTrip, fastestMetersPerSecond);
  const standing = { ...leg('wander', start, start, 0, 0), endMs: Math.floor(between(random, 0, longestWanderMs)) };
  return { index, random, tripSpeed, leg: standing, next: undefined };
}

/** A way from here to there that begins at `startMs`; at speed 0, or from a place to itself, a short stand. */
export function leg(kind: Leg['kind'], from: Point, to: Point, startMs: number, speed: number): Leg {
  const meters = haversineKm(from, to) * 1000;
  const drivenMs = speed === 0 ? 0 : Math.ceil((meters / speed) * 1000);
  const endMs = startMs + Math.max(shortestLegMs, drivenMs);
  return { kind, from, to, startMs, endMs, speed: (meters / (endMs - startMs)) * 1000, heading: bearing(from, to) };
}

/** Lets every leg end that is over at `atMs`; a driver who has nothing else to do wanders on from there. */
export function settle(driver: Driver, atMs: number, town: Town): void {
  while (driver.leg.endMs <= atMs) {
    const { to, endMs } = driver.leg;
    driver.leg = driver.next ?? wander(driver, to, endMs, town);
    driver.next = undefined;
  }
}

/** Where a settled driver is, along the line of its leg. */
export function positionOf({ leg: { from, to, startMs, endMs } }: Driver, atMs: number): Point {
  return along(from, to, Math.min(1, Math.max(0, (atMs - startMs) / (endMs - startMs))));
}

export function nearestAvailable(drivers: readonly Driver[], place: Point, atMs: number): Driver | undefined {
  let nearest: { driver: Driver; km: number } | undefined;
  for (const driver of drivers) {
    if (driver.leg.kind !== 'wander') continue;
    const km = haversineKm(positionOf(driver, atMs), place);
    if (nearest === undefined || km < nearest.km) nearest = { driver, km };
  }
  return nearest?.driver;
}

const sights = 20;
const mostLookedAt = 600;
const crowdRadiusKm = 1;
/** So many kilometres more are worth going for one driver less at the goal. */
const kmPerRival = 2;

/** To a place where people are picked up, near and with few free drivers: riders in quiet corners wait for somebody, too. */
function wander({ index, random }: Driver, from: Point, startMs: number, { places, drivers }: Town): Leg {
  const seen = Array.from({ length: sights }, () => pick(random, places));
  // A large fleet is judged by every so manieth driver, or looking around would take longer than driving.
  const every = Math.ceil(drivers.length / mostLookedAt);
  const others = drivers.filter((other) => other.index % every === 0 && other.index !== index);
  const goals = others.filter((other) => other.leg.kind === 'wander').map((other) => other.leg.to);
  let best = { place: from, cost: Number.POSITIVE_INFINITY };
  for (const place of seen) {
    const rivals = goals.filter((goal) => haversineKm(goal, place) < crowdRadiusKm).length * every;
    const cost = haversineKm(from, place) + kmPerRival * rivals;
    if (cost < best.cost) best = { place, cost };
  }
  const goal = near(random, best.place);
  const speed = between(random, ...wanderSpeeds);
  const meters = haversineKm(from, goal) * 1000;
  const reach = (speed * longestWanderMs) / 1000;
  return leg('wander', from, along(from, goal, meters <= reach ? 1 : reach / meters), startMs, speed);
}

/** Within about 100 m: nobody waits on the very spot of a record. */
function near(random: Random, { latitude, longitude }: Point): Point {
  return { latitude: latitude + between(random, -9e-4, 9e-4), longitude: longitude + between(random, -1.2e-3, 1.2e-3) };
}

function along(from: Point, to: Point, part: number): Point {
  return {
    latitude: from.latitude + (to.latitude - from.latitude) * part,
    longitude: from.longitude + (to.longitude - from.longitude) * part,
  };
}

function bearing(from: Point, to: Point): number {
  const east = (to.longitude - from.longitude) * Math.cos((from.latitude * Math.PI) / 180);
  const degrees = (Math.atan2(east, to.latitude - from.latitude) * 180) / Math.PI;
  // A heading of 360 is not allowed, and rounding could make one.
  return Math.round((degrees + 360) % 360) % 360;
}
