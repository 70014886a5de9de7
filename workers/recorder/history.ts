import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { storeDeadLetter } from '../../db/dead-letters.ts';
import { type DemandRow, storeDemand } from '../../db/demand.ts';
import { type LocationRow, storeLocations } from '../../db/locations.ts';
import type { Partitions } from '../../db/partitions.ts';
import { groups, redisKeys } from '../../db/redis-keys.ts';
import { acknowledge, type StreamEntry } from '../../db/streams.ts';
import type { MarketId } from '../../domain/ids.ts';
import { countableAgeMs } from '../../domain/observation.ts';
import { zoneCell } from '../../geo/cells.ts';
import { type Places, zoneOf } from '../places.ts';
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

/** Sets aside entries that no retry can mend. */
export function createRefusal({ redis, market, metrics }: RecorderDeps, group: string) {
  return async (stream: string, { entry, reason }: Unparseable): Promise<void> => {
    await storeDeadLetter(redis, market, { stream, group, entry, reason });
    metrics.deadLetters.inc({ market });
  };
}

interface Stored<Row> {
  readonly entry: StreamEntry;
  readonly row: Row;
}

/** What the history group does with a batch: one insert, acknowledge after its commit. Doing it twice changes nothing. */
export function createHistoryHandler(deps: RecorderDeps & { readonly index: Places }) {
  const { redis, pool, market, partitions, metrics, index } = deps;
  const { locations } = redisKeys(market).streams;
  const flagger = new FixFlags(pool);
  const refuse = createRefusal(deps, groups.history);

  async function storeFixes(stream: string, entries: readonly StreamEntry[]): Promise<void> {
    const { good, bad } = parseEntries(entries, 'event', locationEvent);
    // Who crossed a border is recorded where the fix itself stands, in the stream of the other market.
    const fixes = good.filter(({ value }) => value.kind === 'fix');
    const { flags, remember } = await flagger.flag(fixes.map(({ value }) => value));
    const rows = fixes.map(({ entry, value: event }, i): Stored<LocationRow> => {
      const row = {
        event,
        marketId: market,
        cell: zoneCell(event),
        zoneId: zoneOf(index, market, event),
        flags: flags[i] ?? [],
      };
      return { entry, row };
    });
    await storeIsolating(
      rows,
      async (some) => {
        const store = () => storeLocations(pool, some.map(rowOf));
        count(await partitions.storing('driver_location_events', some.map(timeOf), store), 'driver-locations');
      },
      ({ entry }, reason) => refuse(stream, { entry, reason }),
    );
    remember();
    for (const one of bad) await refuse(stream, one);
  }

  async function storeDemands(stream: string, entries: readonly StreamEntry[]): Promise<void> {
    const { good, bad } = parseEntries(entries, 'event', demandEvent);
    const rows = good.map(({ entry, value: event }): Stored<DemandRow> => {
      const late = event.receivedAtMs - event.timestampMs > countableAgeMs;
      return {
        entry,
        row: { event, marketId: market, zoneId: zoneOf(index, market, event), flags: late ? ['late'] : [] },
      };
    });
    await storeIsolating(
      rows,
      async (some) => {
        const store = () => storeDemand(pool, some.map(rowOf));
        count(await partitions.storing('demand_events', some.map(timeOf), store), 'demand-events');
      },
      ({ entry }, reason) => refuse(stream, { entry, reason }),
    );
    for (const one of bad) await refuse(stream, one);
  }

  function count(rows: number, stream: string): void {
    metrics.rows.inc({ market, stream }, rows);
  }

  return async (stream: string, entries: readonly StreamEntry[]): Promise<void> => {
    await (stream === locations ? storeFixes : storeDemands)(stream, entries);
    const ids = entries.map(({ id }) => id);
    await acknowledge(redis, stream, groups.history, ids);
  };
}

function rowOf<Row>({ row }: Stored<Row>): Row {
  return row;
}

function timeOf({ row }: Stored<LocationRow | DemandRow>): number {
  return row.event.timestampMs;
}
