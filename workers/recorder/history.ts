import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { buryEntry } from '../../db/dead-letters.ts';
import { type DemandRow, storeDemand } from '../../db/demand.ts';
import { type LocationRow, storeLocations } from '../../db/locations.ts';
import type { Partitions } from '../../db/partitions.ts';
import { groups, redisKeys } from '../../db/redis-keys.ts';
import { acknowledge, type StreamEntry } from '../../db/streams.ts';
import type { DemandEvent, LocationEvent } from '../../domain/events.ts';
import type { MarketId, ZoneId } from '../../domain/ids.ts';
import { countableAgeMs } from '../../domain/observation.ts';
import { zoneCell } from '../../geo/cells.ts';
import type { ZoneIndex } from '../../geo/zone-index.ts';
import { demandEvent, locationEvent, parseEntries, type Unparseable } from '../stream-entries.ts';
import { FixFlags } from './flags.ts';
import { storeIsolating } from './isolate.ts';
import type { RecorderMetrics } from './metrics.ts';

export interface RecorderDeps {
  readonly redis: Redis;
  readonly pool: Pool;
  readonly market: MarketId;
  readonly partitions: Partitions;
  readonly metrics: RecorderMetrics;
}

/** Buries entries that no retry can mend. */
export function createUndertaker({ redis, market, metrics }: RecorderDeps, group: string) {
  return async (stream: string, { entry, reason }: Unparseable): Promise<void> => {
    await buryEntry(redis, market, { stream, group, entry, reason });
    metrics.deadLetters.inc({ market });
  };
}

interface Stored<Row> {
  readonly entry: StreamEntry;
  readonly row: Row;
}

/** What the history group does with a batch: one insert, acknowledge after its commit. Doing it twice changes nothing. */
export function createHistoryHandler(deps: RecorderDeps & { readonly index: Pick<ZoneIndex, 'at'> }) {
  const { redis, pool, market, partitions, metrics, index } = deps;
  const { locations } = redisKeys(market).streams;
  const flagger = new FixFlags(pool);
  const bury = createUndertaker(deps, groups.history);

  function zoneAt({ latitude, longitude }: LocationEvent | DemandEvent): ZoneId | undefined {
    const place = index.at(latitude, longitude);
    return place?.marketId === market ? place.zoneId : undefined;
  }

  async function storeFixes(stream: string, entries: readonly StreamEntry[]): Promise<void> {
    const { good, bad } = parseEntries(entries, 'event', locationEvent);
    // Who crossed a border is recorded where the fix itself stands, in the stream of the other market.
    const fixes = good.filter(({ value }) => value.kind === 'fix');
    const { flags, remember } = await flagger.flag(fixes.map(({ value }) => value));
    const rows = fixes.map(({ entry, value: event }, i): Stored<LocationRow> => {
      const row = { event, marketId: market, cell: zoneCell(event), zoneId: zoneAt(event), flags: flags[i] ?? [] };
      return { entry, row };
    });
    const times = fixes.map(({ value }) => value.timestampMs);
    await partitions.ensure('driver_location_events', times, Date.now());
    await storeIsolating(
      rows,
      async (some) => count(await storeLocations(pool, some.map(rowOf)), 'driver-locations'),
      ({ entry }, reason) => bury(stream, { entry, reason }),
    );
    remember();
    for (const one of bad) await bury(stream, one);
  }

  async function storeWishes(stream: string, entries: readonly StreamEntry[]): Promise<void> {
    const { good, bad } = parseEntries(entries, 'event', demandEvent);
    const rows = good.map(({ entry, value: event }): Stored<DemandRow> => {
      const late = event.receivedAtMs - event.timestampMs > countableAgeMs;
      return { entry, row: { event, marketId: market, zoneId: zoneAt(event), flags: late ? ['late'] : [] } };
    });
    const times = good.map(({ value }) => value.timestampMs);
    await partitions.ensure('demand_events', times, Date.now());
    await storeIsolating(
      rows,
      async (some) => count(await storeDemand(pool, some.map(rowOf)), 'demand-events'),
      ({ entry }, reason) => bury(stream, { entry, reason }),
    );
    for (const one of bad) await bury(stream, one);
  }

  function count(rows: number, stream: string): void {
    metrics.rows.inc({ market, stream }, rows);
  }

  return async (stream: string, entries: readonly StreamEntry[]): Promise<void> => {
    await (stream === locations ? storeFixes : storeWishes)(stream, entries);
    const ids = entries.map(({ id }) => id);
    await acknowledge(redis, stream, groups.history, ids);
  };
}

function rowOf<Row>({ row }: Stored<Row>): Row {
  return row;
}
