import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { blockingCopy, createRedis, redisReady } from '../../platform/connections.ts';
import { type Proxy, startProxy } from '../api/proxy.ts';
import { eventually, freshMarketId, services } from '../harness.ts';

interface Line extends AsyncDisposable {
  readonly proxy: Proxy;
  /** Around the proxy. */
  readonly direct: Redis;
  /** A name nobody else uses. */
  readonly name: string;
  track(redis: Redis): Redis;
}

async function line(): Promise<Line> {
  const proxy = await startProxy(services().redisUrl);
  const open: Redis[] = [];
  const track = (redis: Redis) => {
    open.push(redis.on('error', () => {}));
    return redis;
  };
  return {
    proxy,
    direct: track(createRedis(services().redisUrl)),
    name: freshMarketId(),
    track,
    async [Symbol.asyncDispose]() {
      for (const redis of open) redis.disconnect();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const noticed = { timeoutMs: 14_000 };

describe.concurrent('a connection that goes silent without being closed is noticed', { timeout: 20_000 }, () => {
  it('by a subscriber, which hears what is said afterwards', async () => {
    await using on = await line();
    const subscriber = on.track(createRedis(on.proxy.url));
    const heard: string[] = [];
    subscriber.on('message', (_channel, text) => heard.push(text));
    await subscriber.subscribe(on.name);
    on.proxy.freeze();
    await eventually(async () => {
      await on.direct.publish(on.name, 'still there');
      return heard.length > 0;
    }, noticed);
  });

  it('by a blocking read, which goes on where it was', async () => {
    await using on = await line();
    const blocking = on.track(blockingCopy(on.track(createRedis(on.proxy.url))));
    const read = async () => (await blocking.xread('BLOCK', 200, 'STREAMS', on.name, '0')) ?? undefined;
    expect(await read()).toBeUndefined();
    on.proxy.freeze();
    await on.direct.xadd(on.name, '*', 'a', 'b');
    await on.direct.expire(on.name, 60);
    expect(await eventually(read, noticed)).toHaveLength(1);
  });

  it('by a background connection, which sends again what got no answer', async () => {
    await using on = await line();
    const background = on.track(createRedis(on.proxy.url));
    await background.ping();
    on.proxy.freeze();
    expect(await background.ping()).toBe('PONG');
  });

  it('by a request path, whose later commands are answered again', async () => {
    await using on = await line();
    const failFast = on.track(createRedis(on.proxy.url, { failFast: true }));
    await redisReady(failFast);
    on.proxy.freeze();
    await expect(failFast.ping()).rejects.toThrow();
    expect(await eventually(() => failFast.ping(), noticed)).toBe('PONG');
  });
});
