import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groups } from '../../db/redis-keys.ts';
import { acknowledge, createGroups } from '../../db/streams.ts';
import { blockingCopy } from '../../platform/connections.ts';
import { startStreamLoop, type StreamLoop, type StreamLoopDeps } from '../../workers/stream-loop.ts';
import { type RedisMarket, redisMarket } from '../db/redis-market.ts';
import { eventually } from '../harness.ts';
import { pendingOf, silent } from './loops.ts';

const entries = 23;

describe('a loop that is behind reads one batch ahead', () => {
  let market: RedisMarket;
  let stream: string;
  beforeEach(async () => {
    market = redisMarket();
    stream = market.keys.streams.demand;
    await createGroups(market.redis, market.market);
    for (let i = 0; i < entries; i += 1) await market.redis.xadd(stream, '*', 'event', String(i));
  });
  afterEach(() => market[Symbol.asyncDispose]());

  function start(handle: StreamLoopDeps['handle']): StreamLoop {
    const reader = { group: groups.live, consumer: 'one', count: 5 };
    const { redis } = market;
    const common = { redis, blocking: blockingCopy(redis), market: market.market, log: silent };
    return startStreamLoop({ ...common, streams: [stream], reader, handle, blockMs: 50 });
  }

  it('hands over every entry once, in order', async () => {
    const seen: string[] = [];
    const loop = start(async (_stream, batch) => {
      seen.push(...batch.flatMap(({ fields }) => fields.slice(1)));
      await acknowledge(
        market.redis,
        stream,
        groups.live,
        batch.map(({ id }) => id),
      );
    });
    await eventually(() => seen.length >= entries);
    await loop.stop();
    expect(seen).toEqual(Array.from({ length: entries }, (_, i) => String(i)));
  });

  it('finishes what it has read when it is stopped', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let handled = 0;
    const loop = start(async (_stream, batch) => {
      await held;
      handled += batch.length;
      await acknowledge(
        market.redis,
        stream,
        groups.live,
        batch.map(({ id }) => id),
      );
    });
    const pending = () => pendingOf(market.redis, stream, groups.live);
    await eventually(async () => (await pending()) === 10);
    const stopped = loop.stop();
    release();
    await stopped;
    expect([handled, await pending()]).toEqual([10, 0]);
  });
});
