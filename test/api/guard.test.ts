import { describe, expect, it } from 'vitest';
import { EventLog } from '../../api/event-log.ts';
import { createGuard } from '../../api/guard.ts';
import { createRedis, redisReady } from '../../platform/connections.ts';
import { createLogger } from '../../platform/log.ts';
import { eventually, services } from '../harness.ts';
import { startApi } from './start-api.ts';

const log = createLogger('test', 'silent');
const hourMs = 3_600_000;
const fail = () => Promise.reject(new Error('away'));

describe('a guard', () => {
  it('says when to ask again by what is left of its pause', async () => {
    const guard = createGuard('redis', { failures: 1, openMs: hourMs, timeoutMs: 5_000 }, log);
    expect(guard.retryAfterSeconds).toBe(5);
    await expect(guard.run(fail)).rejects.toThrow('away');
    expect(guard.retryAfterSeconds).toBeGreaterThan(3_000);
    expect(guard.retryAfterSeconds).toBeLessThanOrEqual(3_600);
    guard.reset();
    expect([guard.away, guard.retryAfterSeconds]).toEqual([false, 5]);
  });

  it('that is open tells the senders of events so', async () => {
    const redisGuard = createGuard('redis', { failures: 1, openMs: hourMs, timeoutMs: 5_000 }, log);
    const redis = createRedis(services().redisUrl, { failFast: true });
    await redisReady(redis);
    await expect(redisGuard.run(fail)).rejects.toThrow('away');
    const refused = await new EventLog({ redis, redisGuard, log })
      .driverMarkets(['d'])
      .catch((error: unknown) => error);
    redis.disconnect();
    expect(refused).toMatchObject({ code: 'ingest-unavailable', options: { retryAfterSeconds: 3_600 } });
  });
});

describe('the guard of Redis', () => {
  it('closes as soon as the board was read, though no connection is new', async () => {
    await using api = await startApi();
    const { redisGuard, events } = api.service.deps;
    for (let i = 0; i < 3; i += 1) await expect(redisGuard.run(fail)).rejects.toThrow('away');
    await eventually(() => !redisGuard.away);
    expect(await events.driverMarkets(['nobody'])).toEqual([undefined]);
  });
});
