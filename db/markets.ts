import type { Pool } from 'pg';
import type { Tariff } from '../domain/fare.ts';
import type { Boundary, Market, MarketGeography, NamedZone } from '../domain/geography.ts';
import { type MarketId, parseMarketId, parseZoneId, type ZoneId } from '../domain/ids.ts';

/** Storing a market again changes what differs. A market without any pricing configuration gets the default one. */
export async function storeMarket(pool: Pool, market: Market): Promise<void> {
  await pool.query(
    `insert into markets (market_id, name, time_zone, currency, tariff, speed_by_hour, average_base_fare, boundary)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (market_id) do update set
       name = excluded.name, time_zone = excluded.time_zone, currency = excluded.currency, tariff = excluded.tariff,
       speed_by_hour = excluded.speed_by_hour, average_base_fare = excluded.average_base_fare,
       boundary = excluded.boundary, is_active = true, updated_at = now()`,
    [
      market.marketId,
      market.name,
      market.timeZone,
      market.currency,
      JSON.stringify(market.tariff),
      market.speedByHour === null ? null : JSON.stringify(market.speedByHour),
      market.averageBaseFare,
      JSON.stringify(market.boundary),
    ],
  );
  // Without an active configuration no zone of the market could ever be priced.
  await pool.query(
    `insert into zone_pricing_configs (market_id, version, state, author, reason)
     values ($1, 1, 'active', 'system', 'defaults of a new market')
     on conflict do nothing`,
    [market.marketId],
  );
}

/** What storing zones changed. */
export interface StoredZones {
  readonly zones: number;
  readonly cells: number;
}

/**
 * Stores zones with exactly these cells; storing them again changes nothing. Other zones of the market stay, but for a
 * cell that both claim, which goes to the lower zone id. Rejects when a zone id belongs to another market.
 */
export async function storeZones(pool: Pool, marketId: MarketId, zones: readonly NamedZone[]): Promise<StoredZones> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const stored = await client.query(upsertZones, zoneColumns(marketId, zones));
    if (stored.rowCount !== zones.length) throw new Error(`a zone id of ${marketId} is taken by another market`);
    await client.query('delete from surge_zone_cells where zone_id = any($1)', [zones.map(({ zoneId }) => zoneId)]);
    const cells = zones.flatMap(({ zoneId, cells: owned }) => owned.map((cell) => ({ cell, zoneId })));
    await client.query(
      `insert into surge_zone_cells (market_id, h3_cell_id, zone_id)
       select $1, * from unnest($2::text[], $3::text[])
       on conflict (market_id, h3_cell_id) do update set zone_id = least(surge_zone_cells.zone_id, excluded.zone_id)`,
      [marketId, cells.map(({ cell }) => cell), cells.map(({ zoneId }) => zoneId)],
    );
    await client.query('commit');
    return { zones: zones.length, cells: cells.length };
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** The map version grows only when the shape is another one. */
const upsertZones = `
  insert into surge_zones
    (market_id, zone_id, zone_name, zone_group, h3_cell_id, center_lat, center_lng, radius_meters, boundary)
  select $1, zone_id, zone_name, zone_group, h3_cell_id, center_lat, center_lng, radius_meters, boundary::jsonb
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::float8[], $9::text[])
    as given (zone_id, zone_name, zone_group, h3_cell_id, center_lat, center_lng, radius_meters, boundary)
  on conflict (zone_id) do update set
    zone_name = excluded.zone_name, zone_group = excluded.zone_group, h3_cell_id = excluded.h3_cell_id,
    center_lat = excluded.center_lat, center_lng = excluded.center_lng, radius_meters = excluded.radius_meters,
    boundary = excluded.boundary, is_active = true, updated_at = now(),
    map_version = surge_zones.map_version + (surge_zones.boundary is distinct from excluded.boundary)::int
  where surge_zones.market_id = excluded.market_id`;

function zoneColumns(marketId: MarketId, zones: readonly NamedZone[]): unknown[] {
  return [
    marketId,
    zones.map((zone) => zone.zoneId),
    zones.map((zone) => zone.zoneName),
    zones.map((zone) => zone.zoneGroup),
    zones.map((zone) => zone.centerCell),
    zones.map((zone) => zone.center.latitude),
    zones.map((zone) => zone.center.longitude),
    zones.map((zone) => zone.radiusMeters),
    zones.map((zone) => (zone.boundary === null ? null : JSON.stringify(zone.boundary))),
  ];
}

interface MarketRow {
  readonly market_id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly tariff: Tariff;
  readonly speed_by_hour: number[] | null;
  readonly average_base_fare: number;
  readonly boundary: Boundary;
}

interface ZoneRow {
  readonly market_id: string;
  readonly zone_id: string;
  readonly zone_name: string;
  readonly zone_group: string | null;
  readonly h3_cell_id: string;
  readonly center_lat: number;
  readonly center_lng: number;
  readonly radius_meters: number | null;
  readonly boundary: Boundary | null;
  readonly cells: string[];
}

/** Active markets in the order of their ids, with their active zones and cells. */
export async function loadMarkets(pool: Pool): Promise<MarketGeography[]> {
  const markets = await pool.query<MarketRow>(
    `select market_id, name, time_zone, currency, tariff, speed_by_hour, boundary,
       average_base_fare::float8 as average_base_fare
     from markets where is_active and boundary is not null order by market_id`,
  );
  const zones = await pool.query<ZoneRow>(
    `select market_id, zone_id, zone_name, zone_group, zone.h3_cell_id, center_lat, center_lng, radius_meters, boundary,
       coalesce(owned.cells, '{}') as cells
     from surge_zones zone
     left join (select zone_id, array_agg(h3_cell_id order by h3_cell_id) as cells from surge_zone_cells group by 1) owned
       using (zone_id)
     where is_active order by zone_id`,
  );
  return markets.rows.map((row) => ({
    marketId: known(parseMarketId(row.market_id), row.market_id),
    name: row.name,
    timeZone: row.time_zone,
    currency: row.currency,
    tariff: row.tariff,
    speedByHour: row.speed_by_hour,
    averageBaseFare: row.average_base_fare,
    boundary: row.boundary,
    zones: zones.rows.filter((zone) => zone.market_id === row.market_id).map(zoneOf),
  }));
}

function zoneOf(row: ZoneRow): NamedZone {
  const zoneId: ZoneId = known(parseZoneId(row.zone_id), row.zone_id);
  return {
    zoneId,
    zoneName: row.zone_name,
    zoneGroup: row.zone_group,
    center: { latitude: row.center_lat, longitude: row.center_lng },
    centerCell: row.h3_cell_id,
    radiusMeters: row.radius_meters ?? 0,
    boundary: row.boundary,
    cells: row.cells,
  };
}

function known<Id>(id: Id | undefined, text: string): Id {
  if (id === undefined) throw new Error(`the database holds ${text} as an id`);
  return id;
}
