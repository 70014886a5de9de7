import type { Pool } from 'pg';
import type { Decision } from '../domain/decision.ts';
import { fromHundredths } from '../domain/units.ts';
import { columns, textArray } from './rows.ts';

/** Storing the same decisions twice is the same as storing them once. Throws for all when one row breaks a constraint. */
export async function storeDecisions(pool: Pool, marketId: string, rows: readonly Decision[]): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'decisions-store',
    text: `insert into pricing_event_logs (market_id, zone_id, vehicle_class, price_version, old_multiplier, new_multiplier,
             recommended_multiplier, trigger_reason, supply_count, demand_count, smoothed_supply, smoothed_demand,
             smoothing_factor, neighboring_zones_count, algorithm_used, confidence_score, guard, factors, exempt,
             config_version, global_version, run_id, observed_at, "timestamp")
           select $1, zone, class, version, before, after, recommended, trigger, supply, demand, s_supply, s_demand, factor,
             neighbours, algorithm, confidence, guard, factors::jsonb, exempt::text[], config, global, run,
             to_timestamp(observed / 1000.0), to_timestamp(decided / 1000.0)
           from unnest($2::text[], $3::text[], $4::int[], $5::numeric[], $6::numeric[], $7::numeric[], $8::text[],
             $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::int[], $15::text[],
             $16::float8[], $17::text[], $18::text[], $19::text[], $20::int[], $21::int[], $22::text[], $23::float8[],
             $24::float8[]) as r(zone, class, version, before, after, recommended, trigger, supply, demand, s_supply,
             s_demand, factor, neighbours, algorithm, confidence, guard, factors, exempt, config, global, run, observed,
             decided)
           on conflict (zone_id, vehicle_class, price_version) do nothing`,
    values: [marketId, ...decisionColumns(rows)],
  });
  return rowCount ?? 0;
}

function decisionColumns(rows: readonly Decision[]) {
  return columns(
    rows,
    (row) => row.zoneId,
    (row) => row.vehicleClass,
    (row) => row.version,
    (row) => fromHundredths(row.oldMultiplier),
    (row) => fromHundredths(row.multiplier),
    (row) => fromHundredths(row.recommended),
    (row) => row.trigger,
    (row) => row.supply,
    (row) => row.demand,
    (row) => row.smoothedSupply,
    (row) => row.smoothedDemand,
    (row) => row.smoothingFactor,
    (row) => row.neighbours,
    (row) => row.algorithm,
    (row) => row.confidence,
    (row) => row.guard,
    (row) => JSON.stringify(row.factors),
    (row) => textArray(row.exempt),
    (row) => row.configVersion,
    (row) => row.globalVersion,
    (row) => row.runId,
    (row) => row.observedAtMs,
    (row) => row.decidedAtMs,
  );
}
