import type { Pool } from 'pg';
import type { DemandEvent } from '../domain/events.ts';
import { classOf } from '../domain/ids.ts';
import { weightTenths } from '../domain/observation.ts';
import { columns, textArray } from './rows.ts';

export interface DemandRow {
  readonly event: DemandEvent;
  readonly marketId: string;
  readonly zoneId: string | undefined;
  readonly flags: readonly 'late'[];
}

/** Storing the same events twice is the same as storing them once. Throws for all when one row breaks a constraint. */
export async function storeDemand(pool: Pool, rows: readonly DemandRow[]): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'demand-store',
    text: `insert into demand_events (event_id, time, kind, rider_hash, market_id, zone_id, vehicle_type, vehicle_class,
             latitude, longitude, weight_tenths, flags, received_at)
           select event_id, to_timestamp(at / 1000.0), kind, rider, market_id, zone_id, type, class, latitude, longitude,
             weight, flags::text[], to_timestamp(received / 1000.0)
           from unnest($1::text[], $2::float8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::float8[], $10::float8[], $11::smallint[], $12::text[], $13::float8[]) as r(event_id, at, kind, rider,
             market_id, zone_id, type, class, latitude, longitude, weight, flags, received)
           on conflict (event_id, time) do nothing`,
    values: columns(
      rows,
      ({ event }) => event.eventId,
      ({ event }) => event.timestampMs,
      ({ event }) => event.kind,
      ({ event }) => event.rider,
      ({ marketId }) => marketId,
      ({ zoneId }) => zoneId,
      ({ event }) => event.vehicleType,
      ({ event }) => classOf(event.vehicleType),
      ({ event }) => event.latitude,
      ({ event }) => event.longitude,
      ({ event }) => weightTenths(event.kind),
      ({ flags }) => textArray(flags),
      ({ event }) => event.receivedAtMs,
    ),
  });
  return rowCount ?? 0;
}
