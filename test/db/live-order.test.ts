import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyDemand, applyLocations, type LiveDemand, type LiveFix } from '../../db/live-state.ts';
import { classOf, vehicleTypes, zoneKey } from '../../domain/ids.ts';
import { demandBucketMs } from '../../domain/observation.ts';
import { zone, zoneClass } from './live-fixtures.ts';
import { redisMarket, type RedisMarket } from './redis-market.ts';

const zones = ['aaa', 'bbb', 'ccc'].map(zone);
const drivers = ['d1', 'd2', 'd3'];

/** Few drivers, places and moments, so that ties and overtaking are common; no jump is too far to believe. */
const fixes = fc
  .array(
    fc.record({
      driverId: fc.constantFrom(...drivers),
      kind: fc.constantFrom('fix' as const, 'fix' as const, 'fix' as const, 'inaccurate' as const, 'left' as const),
      secondsAgo: fc.integer({ min: 10, max: 16 }),
      zoneId: fc.constantFrom(undefined, ...zones),
      vehicleType: fc.constantFrom(undefined, ...vehicleTypes),
      available: fc.constantFrom(undefined, true, false),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map(
    (list) =>
      (nowMs: number): LiveFix[] =>
        list.map((one, i) => locate(one, i, nowMs)),
  );

function locate(
  one: Pick<LiveFix, 'driverId' | 'kind' | 'zoneId' | 'vehicleType' | 'available'> & { secondsAgo: number },
  i: number,
  nowMs: number,
): LiveFix {
  const { secondsAgo, ...rest } = one;
  return {
    ...rest,
    streamId: `${nowMs}-${i}`,
    atMs: nowMs - secondsAgo * 1000,
    latitude: 40.75,
    longitude: -73.98,
    heading: undefined,
    speed: undefined,
  };
}

/** Some of the items again, all in another order, cut into batches. */
function disturbed<T>(items: readonly T[], picks: readonly number[]): T[][] {
  const pick = (i: number) => picks[i % picks.length] ?? 0;
  const again = items.filter((_, i) => pick(i) % 3 === 0);
  const shuffled = [...items, ...again]
    .map((item, i) => ({ item, order: (pick(i + 1) * 31 + i * 17) % 101 }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
  const batches: T[][] = [];
  for (const [i, item] of shuffled.entries()) {
    if (i === 0 || pick(i) % 2 === 0) batches.push([]);
    batches.at(-1)?.push(item);
  }
  return batches;
}

/** Where each driver was last, for those who are in the market. */
function expectedPlaces(all: readonly LiveFix[]): Map<string, LiveFix> {
  const ordered = all.filter(({ kind }) => kind !== 'inaccurate').toSorted(byTime);
  const last = new Map(ordered.map((fix) => [fix.driverId, fix]));
  return new Map([...last].filter(([, { kind }]) => kind === 'fix'));
}

/** What the fixes mean, whatever order they come in: the newest position, the latest word about class and availability. */
function expectedSupply(all: readonly LiveFix[]): Record<string, number> {
  const supply: Record<string, number> = {};
  for (const [driverId, newest] of expectedPlaces(all)) {
    if (newest.zoneId === undefined) continue;
    const mine = all.filter((fix) => fix.driverId === driverId);
    const word = <T>(read: (fix: LiveFix) => T | undefined) => {
      const said = mine.filter((fix) => read(fix) !== undefined);
      const lastMs = Math.max(...said.map(({ atMs }) => atMs));
      return said.filter(({ atMs }) => atMs === lastMs).flatMap((fix) => read(fix) ?? []);
    };
    const words = word(({ available }) => (available === undefined ? undefined : String(Number(available))));
    const types = word(({ vehicleType }) => (vehicleType === undefined ? undefined : classOf(vehicleType)));
    if (words.includes('0')) continue;
    supply[`${zoneKey(newest.zoneId, types.toSorted()[0] ?? 'car')} ${driverId}`] = newest.atMs;
  }
  return supply;
}

function sequence({ streamId }: LiveFix): number {
  return Number(streamId.split('-')[1]);
}

function byTime(a: LiveFix, b: LiveFix): number {
  return a.atMs - b.atMs || sequence(a) - sequence(b);
}

async function storedSupply({ redis, keys }: RedisMarket): Promise<Record<string, number>> {
  const supply: Record<string, number> = {};
  for (const key of zones.flatMap((id) => (['car', 'scooter', 'bike'] as const).map((name) => zoneKey(id, name)))) {
    const flat = await redis.zrange(keys.zoneDrivers(key), '0', '-1', 'WITHSCORES');
    for (let i = 0; i < flat.length; i += 2) supply[`${key} ${flat[i] ?? ''}`] = Number(flat[i + 1]);
  }
  return supply;
}

const picks = fc.array(fc.nat({ max: 100 }), { minLength: 5, maxLength: 40 });

it('counts the same drivers in the same zones, however fixes are repeated, shuffled and split', async () => {
  await fc.assert(
    fc.asyncProperty(fixes, picks, async (make, order) => {
      await using market = redisMarket();
      const all = make(Date.now());
      for (const batch of disturbed(all, order)) await applyLocations(market.redis, market.market, batch);
      expect(await storedSupply(market)).toEqual(expectedSupply(all));
      const there = [...expectedPlaces(all).keys()].toSorted();
      const { redis, keys } = market;
      expect((await redis.zrange(keys.fresh, '0', '-1')).toSorted()).toEqual(there);
      expect((await redis.zrange(keys.geo, '0', '-1')).toSorted()).toEqual(there);
    }),
    { numRuns: 150 },
  );
});

const wishes = fc
  .array(
    fc.record({
      rider: fc.constantFrom('r1', 'r2', 'r3'),
      weightTenths: fc.constantFrom(1, 2, 10),
      zone: fc.constantFrom(zoneClass('aaa'), zoneClass('aaa', 'bike'), zoneClass('bbb')),
      bucketsAgo: fc.integer({ min: 0, max: 1 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((list) => (nowMs: number): LiveDemand[] => {
    return list.map(({ bucketsAgo, ...one }) => ({ ...one, atMs: nowMs - bucketsAgo * demandBucketMs }));
  });

function expectedTotals(all: readonly LiveDemand[]): Record<string, number> {
  const highest = new Map<string, number>();
  for (const { zone, rider, weightTenths, atMs } of all) {
    const key = `${zone} ${rider} ${Math.floor(atMs / demandBucketMs)}`;
    highest.set(key, Math.max(highest.get(key) ?? 0, weightTenths));
  }
  const totals: Record<string, number> = {};
  for (const [key, weight] of highest) {
    const [name = ''] = key.split(' ');
    totals[name] = (totals[name] ?? 0) + weight;
  }
  return totals;
}

it('counts a rider once per zone, class and bucket at the highest weight, however events are repeated, shuffled and split', async () => {
  await fc.assert(
    fc.asyncProperty(wishes, picks, async (make, order) => {
      await using market = redisMarket();
      const all = make(Date.now());
      for (const batch of disturbed(all, order)) await applyDemand(market.redis, market.market, batch);
      const totals: Record<string, number> = {};
      for (const key of new Set(all.map(({ zone }) => zone))) {
        totals[key] = Number(await market.redis.hget(market.keys.zoneDemand(key), 'total'));
      }
      expect(totals).toEqual(expectedTotals(all));
    }),
    { numRuns: 100 },
  );
});
