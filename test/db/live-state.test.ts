import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyDemand, readDriver, sweep } from '../../db/live-state.ts';
import { observeZones } from '../../db/observations.ts';
import { decayPeriodMs, driverTtlMs } from '../../domain/config.ts';
import { countableAgeMs } from '../../domain/observation.ts';
import { eventually } from '../harness.ts';
import { apply, demand, feedHasFlowed, fix, revOf, supplyOf, totalOf, zone, zoneClass } from './live-fixtures.ts';
import { redisMarket, type RedisMarket } from './redis-market.ts';

let market: RedisMarket;
beforeEach(() => {
  market = redisMarket();
});
afterEach(() => market[Symbol.asyncDispose]());

const aaa = zoneClass('aaa');
const bbb = zoneClass('bbb');
const ago = (ms: number) => Date.now() - ms;

describe('supply', () => {
  it('ignores a fix that is overtaken by a newer one', async () => {
    await apply(market, fix('d1', { zoneId: zone('bbb'), atMs: ago(1000) }));
    expect(await apply(market, fix('d1', { atMs: ago(5000) }))).toMatchObject({ applied: 0, stale: 1, changed: [] });
    expect(await supplyOf(market, bbb)).toEqual(['d1']);
    expect(await supplyOf(market, aaa)).toEqual([]);
  });

  it('tells both zones when a driver moves from one to the other, each with a new revision', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }));
    const { changed } = await apply(market, fix('d1', { zoneId: zone('bbb') }));
    expect(changed.toSorted()).toEqual([aaa, bbb]);
    expect(await revOf(market, aaa)).toBe(2);
    expect(await market.redis.zscore(market.keys.changed, bbb)).toBe('1');
  });

  it('moves a driver to the class of its new vehicle', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }));
    await apply(market, fix('d1', { vehicleType: 'bike' }));
    expect(await supplyOf(market, aaa)).toEqual([]);
    expect(await supplyOf(market, zoneClass('aaa', 'bike'))).toEqual(['d1']);
  });

  it('changes nothing but the age when a driver stays where it is', async () => {
    const first = fix('d1', { atMs: ago(2000) });
    const second = fix('d1', { atMs: ago(1000) });
    await apply(market, first);
    expect(await apply(market, second)).toMatchObject({ applied: 1, changed: [] });
    expect(await market.redis.zscore(market.keys.zoneDrivers(aaa), 'd1')).toBe(String(second.atMs));
  });

  it('takes a driver without a word about availability as available, and then keeps the last word', async () => {
    await apply(market, fix('d1', { atMs: ago(3000) }));
    expect(await supplyOf(market, aaa)).toEqual(['d1']);
    await apply(market, fix('d1', { atMs: ago(2000), available: false }));
    await apply(market, fix('d1', { atMs: ago(1000) }));
    expect(await supplyOf(market, aaa)).toEqual([]);
    await apply(market, fix('d1', { available: true }));
    expect(await supplyOf(market, aaa)).toEqual(['d1']);
  });

  it('does not use a jump that nobody can drive, but accepts the next fix that agrees with it', async () => {
    const far = { latitude: 40.85, zoneId: zone('bbb') };
    await apply(market, fix('d1', { atMs: ago(9000) }));
    expect(await apply(market, fix('d1', { ...far, atMs: ago(6000) }))).toMatchObject({ implausible: 1, changed: [] });
    expect(await supplyOf(market, aaa)).toEqual(['d1']);
    expect(await apply(market, fix('d1', { ...far, atMs: ago(3000) }))).toMatchObject({ applied: 1 });
    expect(await supplyOf(market, aaa)).toEqual([]);
    expect(await supplyOf(market, bbb)).toEqual(['d1']);
  });

  it('judges an implausible fix alike when it is delivered again', async () => {
    const jump = fix('d1', { latitude: 40.85, zoneId: zone('bbb'), atMs: ago(6000) });
    await apply(market, fix('d1', { atMs: ago(9000) }));
    await apply(market, jump);
    expect(await apply(market, jump)).toMatchObject({ applied: 0, stale: 1 });
    expect(await supplyOf(market, bbb)).toEqual([]);
  });

  it('believes what an inaccurate fix says of the driver, not where it says the driver is', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }));
    const poor = fix('d1', { kind: 'inaccurate', zoneId: zone('bbb'), available: false });
    expect(await apply(market, poor)).toMatchObject({ inaccurate: 1 });
    expect(await supplyOf(market, aaa)).toEqual([]);
    expect(await supplyOf(market, bbb)).toEqual([]);
  });

  it('takes a driver out of its zone when it leaves the served area or the market', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }), fix('d2', { atMs: ago(2000) }));
    await apply(market, fix('d1', { zoneId: undefined }), fix('d2', { kind: 'left' }));
    expect(await supplyOf(market, aaa)).toEqual([]);
    expect(await market.redis.zrange(market.keys.geo, '0', '-1')).toEqual(['d1']);
    expect(await readDriver(market.redis, market.market, 'd1', Date.now())).toMatchObject({ zoneId: null });
    expect(await readDriver(market.redis, market.market, 'd2', Date.now())).toBeUndefined();
  });

  it('leaves an event of eleven minutes ago to history', async () => {
    const old = countableAgeMs + 60_000;
    expect(await apply(market, fix('d1', { atMs: ago(old) }))).toMatchObject({ late: 1, changed: [] });
    const { late, changed } = await applyDemand(market.redis, market.market, [demand('r1', 10, { atMs: ago(old) })]);
    expect({ late, changed }).toEqual({ late: 1, changed: [] });
    expect(await totalOf(market, aaa)).toBe(0);
  });

  it('refuses a whole batch before writing any of it when one fix is unusable', async () => {
    await expect(apply(market, fix('d1'), fix('d2', { latitude: Number.NaN }))).rejects.toThrow(/unusable fix of d2/);
    expect(await supplyOf(market, aaa)).toEqual([]);
    expect(await market.redis.exists(market.keys.epoch)).toBe(0);
  });

  it('tells subscribers of a driver where it is', async () => {
    const subscriber = market.redis.duplicate();
    const heard: unknown[] = [];
    await subscriber.subscribe(market.keys.channels.driver('d1'));
    subscriber.on('message', (_channel, text) => heard.push(JSON.parse(text)));
    const sent = fix('d1', { heading: 90, speed: 7 });
    await apply(market, sent);
    const { latitude, longitude, atMs } = sent;
    const expected = { driverId: 'd1', latitude, longitude, heading: 90, speed: 7, atMs };
    await eventually(() => heard.length > 0);
    expect(heard).toEqual([expected]);
    subscriber.disconnect();
  });
});

describe('demand', () => {
  it('grows by the difference when a rider wants more, and by nothing when the rider repeats', async () => {
    const { redis } = market;
    await applyDemand(redis, market.market, [demand('r1', 1)]);
    await applyDemand(redis, market.market, [demand('r1', 10), demand('r2', 2)]);
    expect(await totalOf(market, aaa)).toBe(12);
    for (const weight of [2, 10]) {
      const again = await applyDemand(redis, market.market, [demand('r1', weight)]);
      expect(again).toMatchObject({ counted: 0, repeated: 1, changed: [] });
    }
    expect(await revOf(market, aaa)).toBe(2);
  });
});

describe('sweep', () => {
  it('expires a driver after the TTL from zone, fresh set and GEO index, and marks the zone changed', async () => {
    await apply(market, fix('d1', { atMs: ago(driverTtlMs - 800) }), fix('d2'));
    expect(await supplyOf(market, aaa)).toEqual(['d1', 'd2']);
    const swept = await eventually(async () => {
      const once = await sweep(market.redis, market.market, 1);
      return once.expired > 0 && once;
    });
    expect(swept).toMatchObject({ expired: 1, freshDrivers: 1, changed: [aaa] });
    expect(await supplyOf(market, aaa)).toEqual(['d2']);
    expect(await market.redis.zrange(market.keys.fresh, '0', '-1')).toEqual(['d2']);
    expect(await market.redis.zrange(market.keys.geo, '0', '-1')).toEqual(['d2']);
    expect(await revOf(market, aaa)).toBe(2);
  });

  it('does not count a fix that arrives older than the TTL', async () => {
    expect(await apply(market, fix('d1', { atMs: ago(driverTtlMs + 1000) }))).toMatchObject({ changed: [] });
    expect(await supplyOf(market, aaa)).toEqual([]);
  });

  const judged = async () => (await sweep(market.redis, market.market)).feed;
  const observed = async () => (await observeZones(market.redis, market.market, [aaa])).get(aaa)?.feed;
  const silentFor = (ms: number) => market.redis.hset(market.keys.feed, 'watermark', ago(ms));

  it('calls the feed unknown before the first fix, healthy once fixes have flowed, and unknown after a silent period', async () => {
    expect(await judged()).toBe('unknown');
    await apply(market, fix('d1'));
    await feedHasFlowed(market);
    expect([await judged(), await observed()]).toEqual(['healthy', 'healthy']);
    const healthyAt = Number(await market.redis.hget(market.keys.feed, 'healthy_at'));
    expect(healthyAt).toBeGreaterThan(ago(60_000));
    await silentFor(decayPeriodMs + 1000);
    expect([await judged(), await observed()]).toEqual(['unknown', 'unknown']);
    expect(Number(await market.redis.hget(market.keys.feed, 'healthy_at'))).toBe(healthyAt);
  });

  it('does not believe the first fixes, after a start as after a silence, until they have flowed for a period', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }));
    expect(await judged()).toBe('unknown');
    await feedHasFlowed(market);
    expect(await judged()).toBe('healthy');
    await silentFor(decayPeriodMs + 1000);
    expect(await apply(market, fix('d1'))).toMatchObject({ applied: 1, feed: 'unknown' });
    expect([await observed(), await judged(), await observed()]).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it('does not take a pause of less than a period for a silence', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }));
    await feedHasFlowed(market);
    await silentFor(decayPeriodMs - 5000);
    await apply(market, fix('d1'));
    expect(await judged()).toBe('healthy');
  });

  it('does not believe a backlog: fixes older than a period do not speak for the feed', async () => {
    const backlog = fix('d1', { atMs: ago(decayPeriodMs + 1000) });
    expect(await apply(market, backlog, fix('d2', { atMs: ago(driverTtlMs + 1000) }))).toMatchObject({ applied: 2 });
    await feedHasFlowed(market);
    expect(await judged()).toBe('unknown');
    expect(await market.redis.hget(market.keys.feed, 'watermark')).toBeNull();
  });

  it('never calls the feed healthy without a fresh driver', async () => {
    await apply(market, fix('d1', { atMs: ago(2000) }));
    await feedHasFlowed(market);
    await apply(market, fix('d1', { kind: 'left' }));
    expect(await judged()).toBe('unknown');
  });

  it('notices between two sweeps that most drivers vanished', async () => {
    const fixes = Array.from({ length: 10 }, (_, i) => fix(`d${i}`, { atMs: ago(2000) }));
    await apply(market, ...fixes);
    await feedHasFlowed(market);
    expect(await judged()).toBe('healthy');
    const gone = (from: number, to: number) => fixes.slice(from, to).map((one) => fix(one.driverId, { kind: 'left' }));
    await apply(market, ...gone(0, 4));
    expect(await observed()).toBe('healthy');
    await apply(market, ...gone(4, 5));
    expect(await observed()).toBe('unknown');
  });

  it.each([
    ['unknown when more than 40 % of the drivers fall silent within a TTL', 5, 'unknown'],
    ['healthy when 40 % do', 4, 'healthy'],
  ])('calls the feed %s', async (_name, silent, expected) => {
    const expiring = { atMs: ago(driverTtlMs - 800) };
    await apply(market, ...Array.from({ length: 10 }, (_, i) => fix(`d${i}`, i < silent ? expiring : {})));
    await feedHasFlowed(market);
    expect(await sweep(market.redis, market.market)).toMatchObject({ feed: 'healthy', freshDrivers: 10 });
    const after = await eventually(async () => {
      const once = await sweep(market.redis, market.market);
      return once.freshDrivers === 10 - silent && once;
    });
    expect(after.feed).toBe(expected);
  });
});
