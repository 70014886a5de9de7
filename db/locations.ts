import type { Pool } from 'pg';
import { driverTtlMs } from '../domain/config.ts';
import type { LocationEvent } from '../domain/events.ts';
import type { TimedPlace } from '../domain/plausibility.ts';
import { columns, textArray } from './rows.ts';

export type LocationFlag = 'implausible' | 'inaccurate' | 'late';

export interface LocationRow {
  readonly event: LocationEvent;
  readonly marketId: string;
  /** H3, resolution 9. */
  readonly cell: string;
  readonly zoneId: string | undefined;
  readonly flags: readonly LocationFlag[];
}

/** Storing the same fixes twice is the same as storing them once. Throws for all when one row breaks a constraint. */
export async function storeLocations(pool: Pool, rows: readonly LocationRow[]): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'locations-store',
    text: `insert into driver_location_events (driver_id, time, event_id, market_id, order_id, latitude, longitude, speed,
             heading, accuracy, event_type, is_available, vehicle_type, h3_cell_id, zone_id, flags, received_at)
           select driver_id, to_timestamp(at / 1000.0), event_id, market_id, order_id, latitude, longitude, speed, heading,
             accuracy, event_type, is_available, vehicle_type, cell, zone_id, flags::text[], to_timestamp(received / 1000.0)
           from unnest($1::text[], $2::float8[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::float8[],
             $9::float8[], $10::float8[], $11::text[], $12::boolean[], $13::text[], $14::text[], $15::text[], $16::text[],
             $17::float8[]) as r(driver_id, at, event_id, market_id, order_id, latitude, longitude, speed, heading, accuracy,
             event_type, is_available, vehicle_type, cell, zone_id, flags, received)
           on conflict (driver_id, time, event_id) do nothing`,
    values: columns(
      rows,
      ({ event }) => event.driverId,
      ({ event }) => event.timestampMs,
      ({ event }) => event.eventId,
      ({ marketId }) => marketId,
      ({ event }) => event.orderId,
      ({ event }) => event.latitude,
      ({ event }) => event.longitude,
      ({ event }) => event.speed,
      ({ event }) => event.heading,
      ({ event }) => event.accuracy,
      ({ event }) => event.eventType ?? 'location',
      ({ event }) => event.isAvailable,
      ({ event }) => event.vehicleType,
      ({ cell }) => cell,
      ({ zoneId }) => zoneId,
      ({ flags }) => textArray(flags),
      ({ event }) => event.receivedAtMs,
    ),
  });
  return rowCount ?? 0;
}

/** The last recorded fix of each driver that was accurate enough, within a driver TTL before `sinceMs`. */
export async function lastFixes(
  pool: Pool,
  driverIds: readonly string[],
  sinceMs: number,
): Promise<Map<string, TimedPlace>> {
  const { rows } = await pool.query<{ driver: string; latitude: number; longitude: number; at: number }>({
    name: 'locations-last',
    text: `select d.driver, l.latitude, l.longitude, l.at
           from unnest($1::text[]) as d(driver) cross join lateral (
             select latitude, longitude, floor(extract(epoch from least(time, received_at)) * 1000)::float8 as at
             from driver_location_events
             where driver_id = d.driver and time > to_timestamp($2 / 1000.0) and not flags && array['inaccurate']
             order by least(time, received_at) desc, time desc limit 1) l`,
    values: [driverIds, sinceMs - driverTtlMs],
  });
  return new Map(rows.map(({ driver, latitude, longitude, at }) => [driver, { latitude, longitude, atMs: at }]));
}
