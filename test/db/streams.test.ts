import { afterEach, beforeEach, expect, it } from 'vitest';
import { driverMarketKey, groups } from '../../db/redis-keys.ts';
import {
  acknowledge,
  appendDemand,
  appendLocation,
  appendLocations,
  claimAbandoned,
  createGroups,
  fieldOf,
  forgetConsumers,
  readGroup,
  type Reader,
  trimStreams,
} from '../../db/streams.ts';
import { locationOf, demandOf } from '../workers/events.ts';
import { redisMarket, type RedisMarket } from './redis-market.ts';

let market: RedisMarket;
beforeEach(async () => {
  market = redisMarket();
  await createGroups(market.redis, market.market);
});
afterEach(() => market[Symbol.asyncDispose]());

const reader = (group: string, consumer = 'one', count = 100): Reader => ({ group, consumer, count });

async function readAll(group: string, stream: string, consumer = 'one', count = 100) {
  const [first] = await readGroup(market.redis, [stream], reader(group, consumer, count), 10);
  return first?.[1] ?? [];
}

it('stores every fix of a batch in order and answers with its ids', async () => {
  const events = [locationOf('d1'), locationOf('d2')];
  const ids = await appendLocations(market.redis, market.market, events);
  const entries = await readAll(groups.history, market.keys.streams.locations);
  expect(entries.map(({ id }) => id)).toEqual(ids);
  expect(entries.map((entry) => JSON.parse(fieldOf(entry, 'event') ?? ''))).toEqual(events);
});

it('sends `left` to the market a driver comes from, once, and nothing while the driver stays', async () => {
  await using other = redisMarket();
  const driver = `d-${market.market}`;
  await appendLocation(market.redis, market.market, locationOf(driver));
  await appendLocation(market.redis, market.market, locationOf(driver));
  const crossing = locationOf(driver);
  await appendLocation(market.redis, other.market, crossing);
  await appendLocation(market.redis, other.market, locationOf(driver));
  const entries = await readAll(groups.live, market.keys.streams.locations);
  const events = entries.map((entry) => JSON.parse(fieldOf(entry, 'event') ?? ''));
  expect(events.map(({ kind }) => kind)).toEqual(['fix', 'fix', 'left']);
  expect(events[2]).toMatchObject({ driverId: driver, timestampMs: crossing.timestampMs });
  expect(await market.redis.xlen(other.keys.streams.locations)).toBe(2);
  await market.redis.del(driverMarketKey(driver));
});

it('hands over what another consumer left behind, to the end of a list longer than one scan', async () => {
  const stream = market.keys.streams.demand;
  await appendDemand(
    market.redis,
    market.market,
    Array.from({ length: 45 }, (_, i) => demandOf(`r${i}`)),
  );
  await readAll(groups.live, stream, 'dead');
  const claimed: string[] = [];
  for await (const batch of claimAbandoned(market.redis, stream, reader(groups.live, 'heir', 2), 0)) {
    claimed.push(...batch.map(({ id }) => id));
  }
  expect(new Set(claimed).size).toBe(45);
});

it('never trims an entry that some group has not acknowledged, and all others', async () => {
  const { redis, keys } = market;
  const stream = keys.streams.demand;
  const ids = await appendDemand(
    redis,
    market.market,
    Array.from({ length: 10 }, (_, i) => demandOf(`r${i}`)),
  );
  const first = async () => (await redis.xrange(stream, '-', '+', 'COUNT', 1))[0]?.[0];

  await readAll(groups.history, stream);
  await acknowledge(redis, stream, groups.history, ids);
  await trimStreams(redis, market.market, Date.now());
  expect(await redis.xlen(stream)).toBe(10); // the live group has read nothing

  await readAll(groups.live, stream, 'one', 6);
  await acknowledge(redis, stream, groups.live, [...ids.slice(0, 2), ...ids.slice(3, 6)]);
  await trimStreams(redis, market.market, Date.now());
  expect(await first()).toBe(ids[2]); // pending, though younger ones are done

  await acknowledge(redis, stream, groups.live, ids.slice(2, 3));
  await readAll(groups.live, stream);
  await acknowledge(redis, stream, groups.live, ids);
  await trimStreams(redis, market.market, Date.now());
  expect(await redis.xlen(stream)).toBe(1);
});

it('trims nothing of a stream that misses one of its groups', async () => {
  const { redis, keys } = market;
  const ids = await appendDemand(redis, market.market, [demandOf('r1'), demandOf('r2')]);
  await readAll(groups.history, keys.streams.demand);
  await acknowledge(redis, keys.streams.demand, groups.history, ids);
  await redis.xgroup('DESTROY', keys.streams.demand, groups.live);
  await trimStreams(redis, market.market, Date.now());
  expect(await redis.xlen(keys.streams.demand)).toBe(2);
});

it('keeps decisions for a day after the recorder has them', async () => {
  const { redis, keys } = market;
  const stream = keys.streams.decisions;
  const dayMs = 86_400_000;
  await redis.xadd(stream, `${Date.now() - dayMs - 60_000}-0`, 'decision', 'old');
  await redis.xadd(stream, `${Date.now() - dayMs + 60_000}-0`, 'decision', 'young');
  const entries = await readAll(groups.recorder, stream);
  await acknowledge(
    redis,
    stream,
    groups.recorder,
    entries.map(({ id }) => id),
  );
  await trimStreams(redis, market.market, Date.now());
  expect((await redis.xrange(stream, '-', '+')).map(([, fields]) => fields[1])).toEqual(['young']);
});

it('forgets consumers that are gone, but none that still holds an entry', async () => {
  const { redis, keys } = market;
  const stream = keys.streams.demand;
  await appendDemand(redis, market.market, [demandOf('r1')]);
  await readAll(groups.live, stream, 'holder');
  await redis.xgroup('CREATECONSUMER', stream, groups.live, 'gone');
  await expect.poll(() => forgetConsumers(redis, market.market, 1)).toBe(1);
  expect(await redis.xinfo('CONSUMERS', stream, groups.live)).toMatchObject([expect.arrayContaining(['holder'])]);
});
