import type { Pool } from 'pg';
import { driverTtlMs } from '../domain/config.ts';
import type { Factor } from '../domain/decision.ts';
import { parseMarketId, type MarketId, type VehicleClass } from '../domain/ids.ts';
import { countableAgeMs, demandBucketMs } from '../domain/observation.ts';
import type { Hundredths } from '../domain/units.ts';

// Questions of the checker alone: they read whole tables, which nothing that serves requests should do.

/** Whole milliseconds, as everything outside the database counts them. */
const ms = (expression: string) => `round(extract(epoch from ${expression}) * 1000)::float8`;

/** Events are ordered by min(event, received). */
const at = 'least(time, received_at)';

export async function activeMarkets(pool: Pool): Promise<MarketId[]> {
  const { rows } = await pool.query<{ id: string }>(
    'select market_id as id from markets where is_active order by market_id',
  );
  return rows.flatMap(({ id }) => parseMarketId(id) ?? []);
}

const historyTables = { location: 'driver_location_events', demand: 'demand_events' } as const;

/** Which of these event ids history does not hold. */
export async function missingEvents(
  pool: Pool,
  kind: keyof typeof historyTables,
  ids: readonly string[],
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select asked.id from unnest($1::text[]) as asked(id)
     where not exists (select from ${historyTables[kind]} kept where kept.event_id = asked.id)`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

export interface RecordedDriver {
  readonly driverId: string;
  readonly atMs: number;
  /** More than one when fixes of the same millisecond compete: the stream decided between them. */
  readonly places: readonly {
    readonly latitude: number;
    readonly longitude: number;
    readonly zoneId: string | null;
  }[];
  /** The latest word within the driver TTL; null when the fixes of that time did not say. */
  readonly available: boolean | null;
  readonly vehicleClass: VehicleClass | null;
}

/** Drivers whose newest usable fix, wherever it was, lies in this market and is younger than the driver TTL. */
export async function recordedDrivers(pool: Pool, market: MarketId, nowMs: number): Promise<RecordedDriver[]> {
  const { rows } = await pool.query<RecordedDriver>(
    `with recent as (
       select driver_id, market_id, latitude, longitude, zone_id, flags, is_available, ${ms(at)} as at,
         case when vehicle_type in ('scooter', 'bike') then vehicle_type when vehicle_type is not null then 'car' end as class
       from driver_location_events
       where time > to_timestamp($2 / 1000.0) and received_at > to_timestamp($2 / 1000.0) and not flags && '{late}'
     ), words as (
       select driver_id,
         (array_agg(is_available order by at desc, is_available) filter (where is_available is not null))[1] as available,
         (array_agg(class order by at desc, class) filter (where class is not null))[1] as class
       from recent group by driver_id
     ), usable as (
       select *, rank() over (partition by driver_id order by at desc) as place
       from recent where not flags && '{implausible,inaccurate}'
     )
     select driver_id as "driverId", at as "atMs", available, words.class as "vehicleClass",
       jsonb_agg(jsonb_build_object('latitude', latitude, 'longitude', longitude, 'zoneId', zone_id)) as places
     from usable join words using (driver_id)
     where place = 1 and market_id = $1
     group by driver_id, at, available, words.class`,
    [market, nowMs - driverTtlMs],
  );
  return rows;
}

/** `<zone>:<class>` → tenths: what the demand counters of a Redis life that began to read at `fromMs` must hold. */
export async function countableDemand(pool: Pool, market: MarketId, fromMs: number): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ zone: string; tenths: number }>(
    `select zone, sum(weight)::float8 as tenths from (
       select zone_id || ':' || vehicle_class as zone, max(weight_tenths) as weight
       from demand_events
       where market_id = $1 and zone_id is not null and not flags && '{late}' and received_at >= to_timestamp($2 / 1000.0)
       group by zone_id, vehicle_class, rider_hash, floor(${ms(at)} / $3)
     ) counted group by zone`,
    [market, fromMs, demandBucketMs],
  );
  return new Map(rows.map(({ zone, tenths }) => [zone, tenths]));
}

/** Receipt times shortly before `epochMs`, latest first: such events may have been read after it. */
export async function receivedBefore(pool: Pool, market: MarketId, epochMs: number, most = 100): Promise<number[]> {
  const { rows } = await pool.query<{ at: number }>(
    `select distinct ${ms('received_at')} as at from demand_events
     where market_id = $1 and received_at < to_timestamp($2 / 1000.0) and received_at >= to_timestamp($3 / 1000.0)
     order by at desc limit $4`,
    [market, epochMs, epochMs - countableAgeMs, most],
  );
  return rows.map((row) => row.at);
}

export interface PriceRow {
  readonly version: number;
  readonly from: Hundredths;
  readonly to: Hundredths;
  readonly trigger: string;
  readonly guard: string | null;
  readonly exempt: readonly string[];
  readonly factors: readonly Factor[];
  readonly configVersion: number;
  readonly globalVersion: number;
  readonly decidedAtMs: number;
}

/** Zones of a market in the price log or in the snapshots, as `<zone>:<class>`. */
export async function loggedZones(pool: Pool, market: MarketId): Promise<string[]> {
  const { rows } = await pool.query<{ zone: string }>(
    `select zone_id || ':' || vehicle_class as zone from pricing_event_logs where market_id = $1
     union select zone_id || ':' || vehicle_class from supply_demand_snapshots where market_id = $1`,
    [market],
  );
  return rows.map(({ zone }) => zone);
}

/** The whole price log of a zone, oldest version first. */
export async function priceRows(pool: Pool, zoneId: string, vehicleClass: VehicleClass): Promise<PriceRow[]> {
  const { rows } = await pool.query<PriceRow>(
    `select price_version as version, (old_multiplier * 100)::int as "from", (new_multiplier * 100)::int as "to",
       trigger_reason as "trigger", guard, exempt, factors, config_version as "configVersion",
       global_version as "globalVersion", ${ms('"timestamp"')} as "decidedAtMs"
     from pricing_event_logs where zone_id = $1 and vehicle_class = $2 order by price_version`,
    [zoneId, vehicleClass],
  );
  return rows;
}

export interface SnapshotRow {
  readonly atMs: number;
  readonly version: number;
  readonly multiplier: Hundredths;
}

/** Every snapshot of a zone, oldest first. */
export async function snapshotRows(pool: Pool, zoneId: string, vehicleClass: VehicleClass): Promise<SnapshotRow[]> {
  const { rows } = await pool.query<SnapshotRow>(
    `select ${ms('"timestamp"')} as "atMs", price_version as version, (surge_multiplier * 100)::int as multiplier
     from supply_demand_snapshots where zone_id = $1 and vehicle_class = $2 order by "timestamp"`,
    [zoneId, vehicleClass],
  );
  return rows;
}

export interface ConfigVersion {
  readonly zoneId: string | null;
  readonly vehicleClass: string | null;
  readonly version: number;
  readonly absoluteMax: number;
  readonly maxChangePerPeriod: number;
  readonly limitedAutoCap: number | null;
  readonly createdAtMs: number;
}

export interface RulesVersion {
  readonly version: number;
  readonly maxGlobalMultiplier: number;
  readonly cooldownMs: number;
}

/** Every version that ever was: a decision is held against the one it names. */
export async function limitVersions(
  pool: Pool,
  market: MarketId,
): Promise<{ readonly configs: readonly ConfigVersion[]; readonly rules: readonly RulesVersion[] }> {
  const [configs, rules] = await Promise.all([
    pool.query<ConfigVersion>(
      `select zone_id as "zoneId", vehicle_class as "vehicleClass", version,
         coalesce(absolute_max, max_multiplier)::float8 as "absoluteMax",
         max_change_per_period::float8 as "maxChangePerPeriod",
         case when mode = 'limited_auto' then limited_auto_cap::float8 end as "limitedAutoCap",
         ${ms('created_at')} as "createdAtMs"
       from zone_pricing_configs where market_id = $1`,
      [market],
    ),
    pool.query<RulesVersion>(
      `select version, max_global_multiplier::float8 as "maxGlobalMultiplier",
         price_change_cooldown_seconds * 1000 as "cooldownMs" from global_pricing_rules`,
    ),
  ]);
  return { configs: configs.rows, rules: rules.rows };
}

export interface QuoteCheck {
  readonly quoteId: string;
  /** `<zone>:<class>`. */
  readonly zone: string;
  readonly version: number;
  readonly multiplier: Hundredths;
  readonly baseFareMinor: number;
  readonly finalFareMinor: number;
  readonly source: string;
  readonly issuedAtMs: number;
  readonly asOfMs: number | null;
  /** What the price log says of that version; null when it has none. */
  readonly logged: Hundredths | null;
}

const quoteColumns = `quote_id::text as "quoteId", q.zone_id || ':' || q.vehicle_class as zone,
  q.price_version as version, (q.multiplier * 100)::int as multiplier, q.base_fare_minor::float8 as "baseFareMinor",
  q.final_fare_minor::float8 as "finalFareMinor", q.source, ${ms('q.issued_at')} as "issuedAtMs",
  ${ms('q.price_as_of')} as "asOfMs", (l.new_multiplier * 100)::int as logged
  from quotes q left join pricing_event_logs l
    on l.zone_id = q.zone_id and l.vehicle_class = q.vehicle_class and l.price_version = q.price_version`;

export async function quoteRows(pool: Pool, market: MarketId): Promise<QuoteCheck[]> {
  const { rows } = await pool.query<QuoteCheck>(`select ${quoteColumns} where q.market_id = $1`, [market]);
  return rows;
}

/** Quotes by their ids, whatever their market. */
export async function quotesById(pool: Pool, quoteIds: readonly string[]): Promise<Map<string, QuoteCheck>> {
  const { rows } = await pool.query<QuoteCheck>(`select ${quoteColumns} where q.quote_id = any($1::uuid[])`, [
    quoteIds,
  ]);
  return new Map(rows.map((row) => [row.quoteId, row]));
}

/** Whether history holds a fix that was received after `sinceMs`. */
export async function firstRecordedAfter(pool: Pool, market: MarketId, sinceMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select 1 from driver_location_events
     where market_id = $1 and time > to_timestamp($2 / 1000.0) and received_at > to_timestamp($2 / 1000.0) limit 1`,
    [market, sinceMs],
  );
  return rowCount === 1;
}
