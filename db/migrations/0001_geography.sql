-- Markets, their zones and the cells of each zone. Kept for ever; a row that is no longer used is made inactive.

create table markets (
  market_id text primary key check (market_id ~ '^[a-z][a-z0-9-]{1,30}$'),
  name text not null,
  time_zone text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  tariff jsonb not null,
  speed_by_hour jsonb,
  boundary jsonb,
  average_base_fare numeric(12, 3) not null default 14.44 check (average_base_fare >= 0),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table markets is 'A city or region: the unit of scale-out. Kept for ever.';
comment on column markets.time_zone is 'IANA name; rush hours are read in it.';
comment on column markets.currency is 'ISO 4217; fares are whole minor units of it.';
comment on column markets.tariff is 'Flagfall, per km, per minute, minimum, circuity, speed and the factor of each vehicle type.';
comment on column markets.speed_by_hour is 'km/h for each hour of the local day; null means the speed of the tariff.';
comment on column markets.boundary is 'GeoJSON Polygon or MultiPolygon, WGS 84; a place outside is not served.';
comment on column markets.average_base_fare is 'Major units; used for the guidance of drivers.';

create table surge_zones (
  zone_id text primary key check (zone_id ~ '^[a-z][a-z0-9-]{2,62}$'),
  market_id text not null references markets,
  zone_name text not null,
  h3_cell_id text not null check (h3_cell_id ~ '^[0-9a-f]{15}$'),
  center_lat double precision not null check (center_lat between -90 and 90),
  center_lng double precision not null check (center_lng between -180 and 180),
  radius_meters double precision check (radius_meters > 0),
  boundary jsonb,
  zone_type text not null default 'standard',
  zone_group text,
  base_multiplier numeric(6, 2) not null default 1.00 check (base_multiplier > 0),
  max_multiplier numeric(6, 2) not null default 5.00 check (max_multiplier >= 1),
  is_active boolean not null default true,
  map_version integer not null default 1 check (map_version > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index surge_zones_by_market on surge_zones (market_id) where is_active;
comment on table surge_zones is 'A named set of H3 cells that is priced as one. Bare cells have no row. Kept for ever.';
comment on column surge_zones.h3_cell_id is 'Cell of resolution 9 that holds the centre.';
comment on column surge_zones.center_lat is 'Degrees, centroid of the polygon.';
comment on column surge_zones.center_lng is 'Degrees, centroid of the polygon.';
comment on column surge_zones.radius_meters is 'Of the circle of equal area, or as imported; metres.';
comment on column surge_zones.boundary is 'GeoJSON Polygon or MultiPolygon, WGS 84.';
comment on column surge_zones.zone_group is 'Borough or district.';
comment on column surge_zones.map_version is 'Grows with every change of the shape.';

create table surge_zone_cells (
  market_id text not null references markets,
  h3_cell_id text not null check (h3_cell_id ~ '^[0-9a-f]{15}$'),
  zone_id text not null references surge_zones on delete cascade,
  primary key (market_id, h3_cell_id)
);
create index surge_zone_cells_by_zone on surge_zone_cells (zone_id);
comment on table surge_zone_cells is 'Cell of resolution 9 to zone; a cell belongs to one zone of a market.';
