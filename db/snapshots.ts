import type { Pool } from 'pg';
import type { Snapshot } from '../domain/decision.ts';
import { fromHundredths } from '../domain/units.ts';
import { columns } from './rows.ts';

/** Storing the same snapshots twice is the same as storing them once. Throws for all when one row breaks a constraint. */
export async function storeSnapshots(pool: Pool, marketId: string, rows: readonly Snapshot[]): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'snapshots-store',
    text: `insert into supply_demand_snapshots (market_id, zone_id, vehicle_class, "timestamp", supply_count, demand_count,
             surge_multiplier, recommended_multiplier, price_version)
           select $1, zone, class, to_timestamp(at / 1000.0), supply, demand, multiplier, recommended, version
           from unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::numeric[], $8::numeric[],
             $9::int[]) as r(zone, class, at, supply, demand, multiplier, recommended, version)
           on conflict (zone_id, vehicle_class, "timestamp") do nothing`,
    values: [
      marketId,
      ...columns(
        rows,
        (row) => row.zoneId,
        (row) => row.vehicleClass,
        (row) => row.atMs,
        (row) => row.supply,
        (row) => row.demand,
        (row) => fromHundredths(row.multiplier),
        (row) => fromHundredths(row.recommended),
        (row) => row.version,
      ),
    ],
  });
  return rowCount ?? 0;
}
