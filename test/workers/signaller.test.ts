import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { activeZones, changedZones, markSignalled, observeZones } from '../../db/observations.ts';
import { releaseLease, takeLease } from '../../db/lease.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import { applyDemand } from '../../db/live-state.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import { type MarketId, parseZoneId, zoneKey } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { connectTemporal, createRedis, type TemporalConnection } from '../../platform/connections.ts';
import { SignalWindow } from '../../workers/ingestion/signal-window.ts';
import { Signaller } from '../../workers/ingestion/signaller.ts';
import { zoneWorkflowId } from '../../workflows/ids.ts';
import { freshMarketId, services } from '../harness.ts';

const zoneId = parseZoneId('harbour') ?? expect.fail('id');
const zone = zoneKey(zoneId, 'car');

describe('the signaller', () => {
  const redis = createRedis(services().redisUrl);
  let temporal: TemporalConnection;
  let market: MarketId;
  let nowMs: number;
  let errors: unknown[];
  beforeAll(async () => {
    temporal = await connectTemporal({ address: services().temporalAddress });
  });
  beforeEach(() => {
    market = freshMarketId();
    nowMs = Date.now();
    errors = [];
  });
  afterAll(async () => {
    redis.disconnect();
    await temporal.close();
  });

  /** Nobody works on this queue: what was signalled stays to be counted in the history. */
  function signaller(client: Client = temporal.client): Signaller {
    const taskQueue = `nobody-${randomUUID()}`;
    const onError = (error: unknown) => errors.push(error);
    return new Signaller({ market, redis, client, taskQueue, clock: () => nowMs, window: new SignalWindow(), onError });
  }

  async function demand(rider: string): Promise<void> {
    await applyDemand(redis, market, [{ zone, rider, weightTenths: 10, atMs: Date.now() }]);
  }

  async function told(): Promise<Observation[]> {
    const handle = temporal.client.workflow.getHandle(zoneWorkflowId(market, zoneId, 'car'));
    const { events } = await handle.fetchHistory();
    const signals = (events ?? []).flatMap(
      ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.input?.payloads ?? [],
    );
    return signals.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()));
  }

  it('starts a quiet zone at once and tells it its absolute state', async () => {
    await demand('ann');
    expect(await signaller().round()).toBe(1);
    expect(await told()).toMatchObject([{ rev: 1, demandTotal: 10, supply: 0, feed: 'unknown' }]);
    expect(await changedZones(redis, market)).toEqual([]);
    expect([...(await activeZones(redis, market)).keys()]).toEqual([zone]);
  });

  it('waits out the window, then tells only the newest', async () => {
    const city = signaller();
    await demand('ann');
    await city.round();
    await demand('bob');
    await demand('cid');
    expect(await city.round()).toBe(0);
    nowMs += 2_000;
    expect(await city.round()).toBe(1);
    expect((await told()).map(({ demandTotal }) => demandTotal)).toEqual([10, 30]);
  });

  it('vouches for a steady zone before a decay period has passed', async () => {
    const city = signaller();
    await demand('ann');
    await city.round();
    nowMs += 0.8 * decayPeriodMs - 1;
    expect(await city.round()).toBe(0);
    nowMs += 1;
    expect(await city.round()).toBe(1);
    expect((await told()).map(({ rev }) => rev)).toEqual([1, 1]);
  });

  it('lets the keep-alives of zones that woke together drift apart, and leaves none out', async () => {
    const woken = Array.from({ length: 96 }, (_, i) =>
      zoneKey(parseZoneId(`z-${100 + i}`) ?? expect.fail('id'), 'car'),
    );
    await applyDemand(
      redis,
      market,
      woken.map((one, i) => ({ zone: one, rider: `r${i}`, weightTenths: 1, atMs: Date.now() })),
    );
    const city = signaller();
    expect(await city.round()).toBe(96);
    const period = async () => {
      const vouched: number[] = [];
      for (let i = 0; i < 60; i += 1) {
        nowMs += decayPeriodMs / 60;
        vouched.push(await city.round());
      }
      return { zones: vouched.reduce((total, some) => total + some, 0), most: Math.max(...vouched) };
    };
    const periods = [await period(), await period(), await period(), await period(), await period(), await period()];
    expect(Math.min(...periods.map(({ zones }) => zones))).toBeGreaterThanOrEqual(96);
    expect(periods.at(-1)?.most).toBeLessThan(20);
  });

  it('tells a change at once that follows a keep-alive', async () => {
    const city = signaller();
    await demand('ann');
    await city.round();
    nowMs += decayPeriodMs;
    await city.round();
    await demand('bob');
    expect(await city.round()).toBe(1);
    expect((await told()).map(({ demandTotal }) => demandTotal)).toEqual([10, 10, 20]);
  });

  it('keeps a zone in the changed set that changed again while it was told', async () => {
    await demand('ann');
    const [before] = await changedZones(redis, market);
    await demand('bob');
    await markSignalled(redis, market, [before ?? expect.fail('unchanged')], nowMs);
    expect(await changedZones(redis, market)).toEqual([{ zone, rev: 2 }]);
  });

  it('loses nothing while Temporal is away and sends the newest when it is back', async () => {
    await demand('ann');
    const away = { workflow: { signalWithStart: () => Promise.reject(new Error('unavailable')) } };
    expect(await signaller(away as unknown as Client).round()).toBe(0);
    expect(errors).toHaveLength(1);
    await demand('bob');
    expect(await signaller().round()).toBe(1);
    expect(await told()).toMatchObject([{ rev: 2, demandTotal: 20 }]);
  });

  it('starts no more than 100 zones in a second', async () => {
    const riders = Array.from({ length: 130 }, (_, i) =>
      zoneKey(parseZoneId(`z-${100 + i}`) ?? expect.fail('id'), 'car'),
    );
    await applyDemand(
      redis,
      market,
      riders.map((one, i) => ({ zone: one, rider: `r${i}`, weightTenths: 1, atMs: Date.now() })),
    );
    const city = signaller();
    expect(await city.round()).toBe(100);
    expect(await city.round()).toBe(0);
    nowMs += 1_000;
    expect(await city.round()).toBe(30);
  });

  it('reaches the zone that waits longest, however many others changed and whatever its revision', async () => {
    const keys = redisKeys(market);
    const others = Array.from({ length: 2_100 }, (_, i) => `z-${1_000 + i}:car`);
    await redis.zadd(keys.active, ...[...others, zone].flatMap((one) => [String(nowMs), one]));
    const changeAll = () => redis.zadd(keys.changed, ...others.flatMap((one, i) => [String(i + 1), one]));
    const told: string[] = [];
    const signalWithStart = async (_type: string, { workflowId }: { workflowId: string }) => told.push(workflowId);
    const city = signaller({ workflow: { signalWithStart } } as unknown as Client);
    await changeAll();
    await city.round();
    await changeAll();
    await redis.zadd(keys.changed, '999999', zone);
    nowMs += 60_000;
    await city.round();
    expect(told).toContain(zoneWorkflowId(market, zoneId, 'car'));
  });

  it('reads a zone nobody touched as nothing, without trusting the feed', async () => {
    expect((await observeZones(redis, market, [zone])).get(zone)).toMatchObject({
      supply: 0,
      demandTotal: 0,
      feed: 'unknown',
    });
  });

  it('is one per market: a lease has one holder, who can renew it and give it back', async () => {
    const lease = redisKeys(market).lease('signaller');
    expect(await takeLease(redis, lease, 'a', 60_000)).toBe(true);
    expect(await takeLease(redis, lease, 'b', 60_000)).toBe(false);
    expect(await takeLease(redis, lease, 'a', 60_000)).toBe(true);
    await releaseLease(redis, lease, 'b');
    expect(await takeLease(redis, lease, 'b', 60_000)).toBe(false);
    await releaseLease(redis, lease, 'a');
    expect(await takeLease(redis, lease, 'b', 60_000)).toBe(true);
  });
});
