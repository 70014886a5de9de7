import { afterEach, beforeEach, expect, it } from 'vitest';
import { driverMarketKey, groups } from '../../db/redis-keys.ts';
import { appendDemand, appendLocation, appendLocations, createGroups, readGroup } from '../../db/streams.ts';
import { createLiveHandler } from '../../workers/ingestion/live.ts';
import { startSweeper } from '../../workers/ingestion/sweeper.ts';
import { feedHasFlowed, supplyOf, totalOf, zoneClass } from '../db/live-fixtures.ts';
import { redisMarket, type RedisMarket } from '../db/redis-market.ts';
import { eventually } from '../harness.ts';
import { demandOf, locationOf } from './events.ts';
import { ignore, liveDeps, pendingOf, silent, startLive } from './loops.ts';

let market: RedisMarket;
beforeEach(async () => {
  market = redisMarket();
  await createGroups(market.redis, market.market);
});
afterEach(() => market[Symbol.asyncDispose]());

const aaa = zoneClass('aaa');
const bbb = zoneClass('bbb');

/** The live group was given everything in the stream and has acknowledged it. */
const drained = (stream: string) =>
  eventually(async () => {
    const live = await groupOf(stream);
    const [newest] = await market.redis.xrevrange(stream, '+', '-', 'COUNT', 1);
    return live.get('pending') === 0 && live.get('last-delivered-id') === newest?.[0];
  });

async function groupOf(stream: string): Promise<Map<unknown, unknown>> {
  const all = (await market.redis.xinfo('GROUPS', stream)) as unknown[][];
  const live = all.find((flat) => flat[1] === groups.live) ?? [];
  return new Map(live.flatMap((name, i) => (i % 2 === 0 ? [[name, live[i + 1]] as const] : [])));
}

it('turns events of drivers and riders into supply and demand of their zones', async () => {
  startLive(market);
  await appendLocations(market.redis, market.market, [locationOf('d1'), locationOf('d2', { latitude: 41.5 })]);
  await appendDemand(market.redis, market.market, [demandOf('r1'), demandOf('r1'), demandOf('r2', { kind: 'search' })]);
  await eventually(async () => (await totalOf(market, aaa)) === 11);
  await eventually(async () => (await supplyOf(market, bbb)).length === 1);
  expect(await supplyOf(market, aaa)).toEqual(['d1']);
  await drained(market.keys.streams.locations);
  await drained(market.keys.streams.demand);
});

it('takes a driver out of its zone when it drives out of the served area', async () => {
  startLive(market);
  await appendLocation(market.redis, market.market, locationOf('d1', { latitude: 41.9999 }));
  await eventually(async () => (await supplyOf(market, bbb)).length === 1);
  await appendLocation(market.redis, market.market, locationOf('d1', { latitude: 42.0001 }));
  await eventually(async () => (await supplyOf(market, bbb)).length === 0);
});

it('moves a driver that crosses into another market out of the first', async () => {
  await using other = redisMarket();
  await createGroups(other.redis, other.market);
  startLive(market);
  startLive(other);
  const driver = `d-${market.market}`;
  await appendLocation(market.redis, market.market, locationOf(driver));
  await eventually(async () => (await supplyOf(market, aaa)).length === 1);
  await appendLocation(market.redis, other.market, locationOf(driver));
  await eventually(async () => (await supplyOf(market, aaa)).length === 0);
  expect(await supplyOf(other, aaa)).toEqual([driver]);
  await market.redis.del(driverMarketKey(driver));
});

it('drops an entry it cannot read and goes on with the rest of the batch', async () => {
  const stream = market.keys.streams.demand;
  await market.redis.xadd(stream, '*', 'event', 'no json');
  await market.redis.xadd(stream, '*', 'event', JSON.stringify({ ...demandOf('r1'), latitude: 91 }));
  await appendDemand(market.redis, market.market, [demandOf('r2')]);
  startLive(market);
  await eventually(async () => (await totalOf(market, aaa)) === 10);
  await drained(stream);
});

it('counts once what a worker applied that was killed before it could acknowledge', async () => {
  const { redis, keys } = market;
  await appendDemand(redis, market.market, [demandOf('r1'), demandOf('r2')]);
  await appendLocation(redis, market.market, locationOf('d1'));
  const dying = { group: groups.live, consumer: 'dying', count: 10 };
  const dead = new Proxy(redis, {
    get: (target, name) => (name === 'xack' ? () => Promise.reject(new Error('killed')) : Reflect.get(target, name)),
  });
  const handle = createLiveHandler(liveDeps(market, { redis: dead }));
  for (const [stream, entries] of await readGroup(redis, [keys.streams.demand, keys.streams.locations], dying, 10)) {
    await expect(handle(stream, entries)).rejects.toThrow('killed');
  }
  expect(await totalOf(market, aaa)).toBe(20);
  expect(await pendingOf(redis, keys.streams.demand, groups.live)).toBe(2);

  startLive(market, { claimIdleMs: 0 });
  await eventually(async () => (await pendingOf(redis, keys.streams.demand, groups.live)) === 0);
  await eventually(async () => (await pendingOf(redis, keys.streams.locations, groups.live)) === 0);
  expect(await totalOf(market, aaa)).toBe(20);
  expect(await supplyOf(market, aaa)).toEqual(['d1']);
});

it('claims what a dead worker took and never applied, to the last entry', async () => {
  const { redis, keys } = market;
  const riders = Array.from({ length: 250 }, (_, i) => demandOf(`r${i}`));
  await appendDemand(redis, market.market, riders);
  await readGroup(redis, [keys.streams.demand], { group: groups.live, consumer: 'dead', count: 250 }, 10);
  const reader = { group: groups.live, consumer: 'heir', count: 7 };
  startLive(market, { reader, claimIdleMs: 0 });
  await eventually(async () => (await pendingOf(redis, keys.streams.demand, groups.live)) === 0);
  expect(await totalOf(market, aaa)).toBe(2500);
});

it('makes its group again after a flush, misses nothing that came since, and starts a later epoch', async () => {
  startLive(market);
  await appendDemand(market.redis, market.market, [demandOf('r1')]);
  await eventually(async () => (await totalOf(market, aaa)) === 10);
  await drained(market.keys.streams.demand);
  const epoch = Number(await market.redis.get(market.keys.epoch));
  await market.flush();
  await appendDemand(market.redis, market.market, [demandOf('r2'), demandOf('r3')]);
  await eventually(async () => (await totalOf(market, aaa)) === 20);
  expect(Number(await market.redis.get(market.keys.epoch))).toBeGreaterThan(epoch);
});

it('finishes the batch in hand when it is stopped', async () => {
  const releases: (() => void)[] = [];
  const held = new Promise<void>((resolve) => releases.push(resolve));
  const live = createLiveHandler(liveDeps(market));
  let started = false;
  const loop = startLive(market, {
    handle: async (stream, entries) => {
      started = true;
      await held;
      await live(stream, entries);
    },
  });
  await appendDemand(market.redis, market.market, [demandOf('r1')]);
  await eventually(() => started);
  const stopping = loop.stop();
  for (const release of releases) release();
  await stopping;
  expect(await totalOf(market, aaa)).toBe(10);
  expect(await pendingOf(market.redis, market.keys.streams.demand, groups.live)).toBe(0);
});

const stateOf = () => market.redis.hget(market.keys.feed, 'state');

it('judges the feed soon after it has flowed for a period, not at the end of the next one', async () => {
  const { metrics } = liveDeps(market);
  const sweeper = startSweeper({ redis: market.redis, market: market.market, metrics, log: silent, onApplied: ignore });
  await eventually(async () => (await stateOf()) === 'unknown');
  const handle = createLiveHandler(liveDeps(market, { onFeedDoubt: sweeper.soon }));
  startLive(market, { handle });
  await appendLocation(market.redis, market.market, locationOf('d1'));
  await eventually(async () => (await supplyOf(market, aaa)).length === 1);
  await feedHasFlowed(market);
  await appendLocation(market.redis, market.market, locationOf('d1'));
  await eventually(async () => (await stateOf()) === 'healthy');
  await sweeper.stop();
});

it('sweeps again for who asked while a sweep was running', async () => {
  let [sweeps, release] = [0, () => {}];
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = new Proxy(market.redis, {
    get(target, name) {
      if (name !== 'evalsha') return Reflect.get(target, name);
      return async (hash: string, keys: number, ...rest: string[]) => {
        sweeps += 1;
        await held;
        return target.evalsha(hash, keys, ...rest);
      };
    },
  });
  const { metrics } = liveDeps(market);
  const sweeper = startSweeper({ redis: slow, market: market.market, metrics, log: silent, onApplied: ignore });
  await eventually(() => sweeps === 1);
  sweeper.soon();
  release();
  await eventually(() => sweeps === 2);
  await sweeper.stop();
});
