import type { Redis } from 'ioredis';
import { decayPeriodMs, driverTtlMs } from '../domain/config.ts';
import type { MarketId, ZoneKey } from '../domain/ids.ts';
import type { Observation } from '../domain/observation.ts';
import { loadScript } from './lua.ts';
import { redisKeys } from './redis-keys.ts';
import { pairsOf } from './replies.ts';

const observeScript = loadScript('observe');
const signalledScript = loadScript('signalled');

export interface ChangedZone {
  readonly zone: ZoneKey;
  readonly rev: number;
}

/** Zones whose state moved on since they were last told. All of them: whoever waits longest may have any revision. */
export async function changedZones(redis: Redis, market: MarketId): Promise<ChangedZone[]> {
  const flat = await redis.zrange(redisKeys(market).changed, '0', '-1', 'WITHSCORES');
  return pairsOf(flat).map(([zone, rev]) => ({ zone: zone as ZoneKey, rev: Number(rev) }));
}

/** Zones that are awake, with the ms of their last signal. */
export async function activeZones(redis: Redis, market: MarketId): Promise<Map<ZoneKey, number>> {
  const flat = await redis.zrange(redisKeys(market).active, '0', '-1', 'WITHSCORES');
  return new Map(pairsOf(flat).map(([zone, at]) => [zone as ZoneKey, Number(at)]));
}

/** The newest observation of each zone, read in one consistent call. Safe to repeat: observations are absolute. */
export async function observeZones(
  redis: Redis,
  market: MarketId,
  zones: readonly ZoneKey[],
): Promise<Map<ZoneKey, Observation>> {
  const keys = redisKeys(market);
  const answer = await observeScript.run(
    redis,
    [keys.epoch, keys.feed],
    [keys.prefix, driverTtlMs, decayPeriodMs, ...zones],
  );
  if (!Array.isArray(answer)) throw new Error('unexpected answer of observe.lua');
  const [epoch = 0, nowMs = 0, healthy = 0, healthyAtMs = 0, ...figures] = answer.map(Number);
  const supplyAsOfMs = healthy === 1 ? nowMs : healthyAtMs;
  return new Map(
    zones.map((zone, i) => {
      const [rev = 0, supply = 0, demandTotal = 0] = figures.slice(i * 3, i * 3 + 3);
      const feed = healthy === 1 ? 'healthy' : 'unknown';
      return [zone, { epoch, rev, supply, supplyAsOfMs, feed, demandTotal, observedAtMs: nowMs }];
    }),
  );
}

/** After the send: zones leave the changed set unless they changed again, and count as active. */
export async function markSignalled(
  redis: Redis,
  market: MarketId,
  sent: readonly ChangedZone[],
  nowMs: number,
): Promise<void> {
  if (sent.length === 0) return;
  const keys = redisKeys(market);
  await signalledScript.run(
    redis,
    [keys.changed, keys.active],
    [nowMs, ...sent.flatMap(({ zone, rev }) => [zone, rev])],
  );
}
