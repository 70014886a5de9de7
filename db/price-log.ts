import type { Pool } from 'pg';
import type { VehicleClass, ZoneId } from '../domain/ids.ts';
import { type Hundredths, toHundredths } from '../domain/units.ts';

/** The newest version of a zone's price that Postgres knows, from the price log or from a quote that used it. */
export async function newestRecordedPrice(
  pool: Pool,
  zoneId: ZoneId,
  vehicleClass: VehicleClass,
): Promise<{ version: number; multiplier: Hundredths; atMs: number } | null> {
  const { rows } = await pool.query<{ version: number; multiplier: string; at: Date }>(
    `(select price_version as version, new_multiplier as multiplier, "timestamp" as at
        from pricing_event_logs where zone_id = $1 and vehicle_class = $2
       order by price_version desc limit 1)
     union all
     (select price_version, multiplier, issued_at
        from quotes where zone_id = $1 and vehicle_class = $2
       order by price_version desc limit 1)
     order by version desc limit 1`,
    [zoneId, vehicleClass],
  );
  const [row] = rows;
  if (row === undefined || row.version === 0) return null;
  return { version: row.version, multiplier: toHundredths(Number(row.multiplier)), atMs: row.at.getTime() };
}
