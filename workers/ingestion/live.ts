import type { Redis } from 'ioredis';
import { applyDemand, applyLocations, type LiveDemand, type LiveFix } from '../../db/live-state.ts';
import { groups, redisKeys } from '../../db/redis-keys.ts';
import { acknowledge, type StreamEntry } from '../../db/streams.ts';
import { type DemandEvent, type LocationEvent, worstUsableAccuracyMeters } from '../../domain/events.ts';
import { classOf, type MarketId, type ZoneId, zoneKey } from '../../domain/ids.ts';
import { weightTenths } from '../../domain/observation.ts';
import type { Logger } from '../../platform/log.ts';
import { type Places, zoneOf } from '../places.ts';
import { demandEvent, locationEvent, parseEntries, storedAtMs, type Unparseable } from '../stream-entries.ts';
import { countOutcomes, type IngestionMetrics } from './metrics.ts';

export interface LiveDeps {
  readonly redis: Redis;
  readonly market: MarketId;
  readonly index: Places;
  readonly metrics: IngestionMetrics;
  readonly log: Logger;
  /** Some zones changed. */
  readonly onApplied: () => void;
  /** Fixes were accepted while the feed does not count as healthy. */
  readonly onFeedDoubt: () => void;
}

/** What the live group does with a batch: locate, one Lua call, acknowledge. Doing it twice changes nothing. */
export function createLiveHandler(deps: LiveDeps) {
  const { redis, market, metrics } = deps;
  const { locations } = redisKeys(market).streams;
  return async (stream: string, entries: readonly StreamEntry[]): Promise<void> => {
    const name = stream === locations ? 'driver-locations' : 'demand-events';
    const changed = stream === locations ? await locate(deps, entries) : await count(deps, entries);
    metrics.batch.observe({ stream: name }, entries.length);
    const [oldest] = entries;
    if (oldest !== undefined) metrics.age.observe({ stream: name }, (Date.now() - storedAtMs(oldest)) / 1000);
    if (changed > 0) deps.onApplied();
    const ids = entries.map(({ id }) => id);
    await acknowledge(redis, stream, groups.live, ids);
  };
}

async function locate(deps: LiveDeps, entries: readonly StreamEntry[]): Promise<number> {
  const { redis, market, metrics, index } = deps;
  const { good, bad } = parseEntries(entries, 'event', locationEvent);
  drop(deps, 'driver-locations', bad);
  if (good.length === 0) return 0;
  const fixes = good.map(({ entry, value }) => liveFix(entry.id, value, zoneOf(index, market, value)));
  const { feed, changed, ...counts } = await applyLocations(redis, market, fixes);
  countOutcomes(metrics, 'driver-locations', counts);
  if (counts.applied > 0 && feed !== 'healthy') deps.onFeedDoubt();
  return changed.length;
}

async function count(deps: LiveDeps, entries: readonly StreamEntry[]): Promise<number> {
  const { redis, market, metrics, index } = deps;
  const { good, bad } = parseEntries(entries, 'event', demandEvent);
  drop(deps, 'demand-events', bad);
  const events = good.flatMap(({ value }) => liveDemand(value, zoneOf(index, market, value)));
  countOutcomes(metrics, 'demand-events', { nowhere: good.length - events.length });
  if (events.length === 0) return 0;
  const { changed, ...counts } = await applyDemand(redis, market, events);
  countOutcomes(metrics, 'demand-events', counts);
  return changed.length;
}

function liveFix(streamId: string, event: LocationEvent, zoneId: ZoneId | undefined): LiveFix {
  const inaccurate = (event.accuracy ?? 0) > worstUsableAccuracyMeters;
  const { driverId, latitude, longitude, vehicleType, isAvailable: available, heading, speed } = event;
  const atMs = Math.min(event.timestampMs, event.receivedAtMs);
  const kind = event.kind === 'fix' && inaccurate ? 'inaccurate' : event.kind;
  return { streamId, driverId, kind, atMs, latitude, longitude, zoneId, vehicleType, available, heading, speed };
}

function liveDemand(event: DemandEvent, zoneId: ZoneId | undefined): LiveDemand[] {
  if (zoneId === undefined) return [];
  const atMs = Math.min(event.timestampMs, event.receivedAtMs);
  const zone = zoneKey(zoneId, classOf(event.vehicleType));
  return [{ zone, rider: event.rider, weightTenths: weightTenths(event.kind), atMs }];
}

/** The history group keeps what cannot be read; here it is only counted. */
function drop({ metrics, log, market }: LiveDeps, stream: string, bad: readonly Unparseable[]): void {
  countOutcomes(metrics, stream, { dropped: bad.length });
  for (const { entry, reason } of bad) log.warn({ market, stream, id: entry.id, reason }, 'entry dropped');
}
