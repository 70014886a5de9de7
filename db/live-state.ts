import type { Redis } from 'ioredis';
import { decayPeriodMs, driverTtlMs } from '../domain/config.ts';
import { fastestPlausibleMetersPerSecond } from '../domain/events.ts';
import { classOf, type MarketId, type VehicleType, type ZoneId, type ZoneKey } from '../domain/ids.ts';
import { countableAgeMs, demandBucketMs, type Feed } from '../domain/observation.ts';
import { loadScript } from './lua.ts';
import { type RedisKeys, redisKeys } from './redis-keys.ts';

/** A located fix, ready for the live state. */
export interface LiveFix {
  readonly streamId: string;
  readonly driverId: string;
  /** `inaccurate` fixes only say what the driver is; `left` takes the driver out of this market. */
  readonly kind: 'fix' | 'inaccurate' | 'left';
  /** min(event, received), ms since 1970: the order of fixes. */
  readonly atMs: number;
  readonly latitude: number;
  readonly longitude: number;
  /** undefined outside the serviced area. */
  readonly zoneId: ZoneId | undefined;
  readonly vehicleType: VehicleType | undefined;
  readonly available: boolean | undefined;
  /** Degrees clockwise from north. */
  readonly heading: number | undefined;
  /** m/s. */
  readonly speed: number | undefined;
}

/** A located demand event. */
export interface LiveDemand {
  readonly zone: ZoneKey;
  readonly rider: string;
  readonly weightTenths: number;
  readonly atMs: number;
}

export interface LocationsApplied {
  readonly applied: number;
  /** Not newer than what is known: repeats and overtaken fixes. */
  readonly stale: number;
  readonly implausible: number;
  readonly inaccurate: number;
  /** Older than 10 min: for history only. */
  readonly late: number;
  readonly left: number;
  /** As the last sweep judged it, `unknown` when these fixes ended a silence; undefined before the first of both. */
  readonly feed: Feed | undefined;
  readonly changed: readonly ZoneKey[];
}

export interface DemandApplied {
  readonly counted: number;
  readonly repeated: number;
  readonly late: number;
  readonly changed: readonly ZoneKey[];
}

export interface Swept {
  readonly expired: number;
  readonly freshDrivers: number;
  readonly feed: Feed;
  readonly changed: readonly ZoneKey[];
}

/** A rider's buckets are remembered this long: twice the age of the oldest event that still counts. */
export const seenLifeMs = 2 * countableAgeMs;

const locationsScript = loadScript('apply-locations');
const demandScript = loadScript('apply-demand');
const sweepScript = loadScript('sweep');

function stateKeys(keys: RedisKeys): string[] {
  return [keys.epoch, keys.fresh, keys.geo, keys.members, keys.changed, keys.feed];
}

/** One call for a whole batch of one market, all or nothing. Safe to repeat. */
export async function applyLocations(
  redis: Redis,
  market: MarketId,
  fixes: readonly LiveFix[],
): Promise<LocationsApplied> {
  const keys = redisKeys(market);
  const flat: string[] = [];
  for (const fix of fixes) {
    flat.push(fix.driverId, fix.streamId, String(fix.atMs), String(fix.latitude), String(fix.longitude), fix.kind);
    flat.push(fix.zoneId ?? '', fix.vehicleType ?? '', fix.vehicleType === undefined ? '' : classOf(fix.vehicleType));
    flat.push(
      word(fix.available === undefined ? undefined : Number(fix.available)),
      word(fix.heading),
      word(fix.speed),
    );
  }
  const limits = [driverTtlMs, countableAgeMs, fastestPlausibleMetersPerSecond, decayPeriodMs];
  const args = [keys.prefix, ...limits, JSON.stringify(flat)];
  const [counts, [feed = '', ...changed]] = answerOf(await locationsScript.run(redis, stateKeys(keys), args), 6);
  const [applied = 0, stale = 0, implausible = 0, inaccurate = 0, late = 0, left = 0] = counts;
  const judged = feed === '' ? undefined : parseFeed(feed);
  return { applied, stale, implausible, inaccurate, late, left, feed: judged, changed: changed as ZoneKey[] };
}

/**
 * What subscribers of a driver's channel get with each accepted fix, as JSON.
 * @public
 */
export interface DriverMessage {
  readonly driverId: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly heading: number | null;
  readonly speed: number | null;
  readonly atMs: number;
}

function word(figure: number | undefined): string {
  return figure === undefined ? '' : String(figure);
}

/** One call for a whole batch of one market, all or nothing. Safe to repeat. */
export async function applyDemand(
  redis: Redis,
  market: MarketId,
  events: readonly LiveDemand[],
): Promise<DemandApplied> {
  const keys = redisKeys(market);
  const args: (string | number)[] = [keys.prefix, countableAgeMs, seenLifeMs];
  for (const { zone, rider, weightTenths, atMs } of events) {
    args.push(zone, Math.floor(atMs / demandBucketMs), rider, weightTenths, atMs);
  }
  const [counts, changed] = answerOf(await demandScript.run(redis, [keys.epoch, keys.changed], args), 3);
  const [counted = 0, repeated = 0, late = 0] = counts;
  return { counted, repeated, late, changed: changed as ZoneKey[] };
}

/** Expires silent drivers in bounded steps, then judges the feed. Two sweepers at once do no harm. */
export async function sweep(redis: Redis, market: MarketId, mostPerCall = 1000): Promise<Swept> {
  const keys = redisKeys(market);
  const changed = new Set<ZoneKey>();
  for (let expired = 0; ; ) {
    const answer = await sweepScript.run(redis, stateKeys(keys), [
      keys.prefix,
      driverTtlMs,
      decayPeriodMs,
      mostPerCall,
    ]);
    const [[gone = 0, more = 0, freshDrivers = 0], [feed = '', ...zones]] = answerOf(answer, 3);
    expired += gone;
    for (const zone of zones) changed.add(zone as ZoneKey);
    if (more === 0) return { expired, freshDrivers, feed: parseFeed(feed), changed: [...changed] };
  }
}

export interface DriverFix {
  readonly driverId: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly heading: number | null;
  readonly speed: number | null;
  readonly zoneId: ZoneId | null;
  readonly vehicleType: VehicleType;
  readonly available: boolean;
  readonly atMs: number;
}

/** The last accepted fix of a driver; undefined when there is none within the driver TTL before `nowMs`. */
export async function readDriver(
  redis: Redis,
  market: MarketId,
  driverId: string,
  nowMs: number,
): Promise<DriverFix | undefined> {
  const names = ['lat', 'lng', 't', 'zone', 'heading', 'speed', 'type', 'avail'] as const;
  const values = await redis.hmget(redisKeys(market).driver(driverId), ...names);
  const [lat, lng, t, zone, heading, speed, type, avail] = values;
  if (lat == null || lng == null || t == null || nowMs - Number(t) >= driverTtlMs) return undefined;
  return {
    driverId,
    latitude: Number(lat),
    longitude: Number(lng),
    heading: numberOrNull(heading),
    speed: numberOrNull(speed),
    zoneId: zone ? (zone as ZoneId) : null,
    vehicleType: (type ?? 'standard') as VehicleType,
    available: avail !== '0',
    atMs: Number(t),
  };
}

function numberOrNull(text: string | null | undefined): number | null {
  return text === undefined || text === null || text === '' ? null : Number(text);
}

function parseFeed(text: string): Feed {
  return text === 'healthy' ? 'healthy' : 'unknown';
}

/** Scripts answer with `figures` numbers, then words. */
function answerOf(answer: unknown, figures: number): [number[], string[]] {
  if (!Array.isArray(answer) || answer.length < figures) throw new Error('unexpected answer of a live-state script');
  return [answer.slice(0, figures).map(Number), answer.slice(figures).map(String)];
}
