import { applyLocations, type LiveDemand, type LiveFix } from '../../db/live-state.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import { parseZoneId, type VehicleClass, type ZoneId, type ZoneKey, zoneKey } from '../../domain/ids.ts';
import type { RedisMarket } from './redis-market.ts';

export function zone(name: string): ZoneId {
  const id = parseZoneId(name);
  if (id === undefined) throw new Error(`${name} is no zone id`);
  return id;
}

export function zoneClass(name: string, vehicleClass: VehicleClass = 'car'): ZoneKey {
  return zoneKey(zone(name), vehicleClass);
}

let sequence = 0;

/** A plain fix of now in zone `aaa`; each call is a new stream entry. */
export function fix(driverId: string, changes: Partial<LiveFix> = {}): LiveFix {
  sequence += 1;
  return {
    streamId: `1700000000000-${sequence}`,
    driverId,
    kind: 'fix',
    atMs: Date.now(),
    latitude: 40.75,
    longitude: -73.98,
    zoneId: zone('aaa'),
    vehicleType: 'standard',
    available: undefined,
    heading: undefined,
    speed: undefined,
    ...changes,
  };
}

export function demand(rider: string, weightTenths: number, changes: Partial<LiveDemand> = {}): LiveDemand {
  return { zone: zoneClass('aaa'), rider, weightTenths, atMs: Date.now(), ...changes };
}

export async function apply({ redis, market }: RedisMarket, ...fixes: LiveFix[]) {
  return applyLocations(redis, market, fixes);
}

/** As if fixes had been coming for a whole period already; to be called after the first of them. */
export async function feedHasFlowed({ redis, keys }: Pick<RedisMarket, 'redis' | 'keys'>): Promise<void> {
  await redis.hset(keys.feed, 'flowing_since', Date.now() - decayPeriodMs - 1);
}

/** Drivers that count as supply of a zone and class, in order of their names. */
export async function supplyOf({ redis, keys }: RedisMarket, key: ZoneKey): Promise<string[]> {
  return (await redis.zrange(keys.zoneDrivers(key), '0', '-1')).toSorted();
}

export async function totalOf({ redis, keys }: RedisMarket, key: ZoneKey): Promise<number> {
  return Number((await redis.hget(keys.zoneDemand(key), 'total')) ?? 0);
}

export async function revOf({ redis, keys }: RedisMarket, key: ZoneKey): Promise<number> {
  return Number((await redis.hget(keys.zoneDemand(key), 'rev')) ?? 0);
}
