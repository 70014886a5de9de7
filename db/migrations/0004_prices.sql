-- What the zones decided. Zones may be bare cells, so zone_id refers to no table.

create table pricing_event_logs (
  log_id bigint generated always as identity primary key,
  market_id text not null,
  zone_id text not null,
  vehicle_class text not null check (vehicle_class in ('car', 'scooter', 'bike')),
  price_version integer not null check (price_version > 0),
  old_multiplier numeric(6, 2) not null check (old_multiplier > 0),
  new_multiplier numeric(6, 2) not null check (new_multiplier > 0),
  recommended_multiplier numeric(6, 2) not null check (recommended_multiplier > 0),
  trigger_reason text not null
    check (trigger_reason in ('observation', 'tick', 'override', 'config', 'emergency', 'cap', 'outage-drift', 'recovered')),
  supply_count double precision not null check (supply_count >= 0),
  demand_count double precision not null check (demand_count >= 0),
  smoothed_supply double precision not null check (smoothed_supply >= 0),
  smoothed_demand double precision not null check (smoothed_demand >= 0),
  smoothing_factor double precision not null check (smoothing_factor >= 1),
  neighboring_zones_count integer not null check (neighboring_zones_count >= 0),
  algorithm_used text not null
    check (algorithm_used in ('piecewise', 'two_slope', 'linear', 'exponential', 'adaptive', 'ml_based')),
  confidence_score double precision not null check (confidence_score between 0 and 1),
  guard text check (guard in ('feed-stale', 'no-activity', 'no-supply')),
  factors jsonb not null,
  exempt text[] not null default '{}',
  config_version integer not null check (config_version >= 0),
  global_version integer not null check (global_version >= 0),
  run_id text not null,
  observed_at timestamptz not null,
  "timestamp" timestamptz not null,
  unique (zone_id, vehicle_class, price_version)
);
create index pricing_event_logs_by_time on pricing_event_logs ("timestamp");
comment on table pricing_event_logs is
  'One row per published change of a price; versions of a zone and class are 1, 2, 3 … without gaps. Kept 400 days.';
comment on column pricing_event_logs.supply_count is 'Available drivers, decayed; not a whole number.';
comment on column pricing_event_logs.demand_count is 'Ride requests, weighted and decayed; not a whole number.';
comment on column pricing_event_logs.smoothing_factor is '1 plus the weights of the neighbours that were used.';
comment on column pricing_event_logs.exempt is 'Why cooldown and gradual limit did not apply.';
comment on column pricing_event_logs.observed_at is 'When the observation behind the decision was read.';

create table supply_demand_snapshots (
  zone_id text not null,
  vehicle_class text not null check (vehicle_class in ('car', 'scooter', 'bike')),
  "timestamp" timestamptz not null,
  market_id text not null,
  supply_count double precision not null check (supply_count >= 0),
  demand_count double precision not null check (demand_count >= 0),
  surge_multiplier numeric(6, 2) not null check (surge_multiplier > 0),
  recommended_multiplier numeric(6, 2) not null check (recommended_multiplier > 0),
  price_version integer not null check (price_version >= 0),
  primary key (zone_id, vehicle_class, "timestamp")
) partition by range ("timestamp");
comment on table supply_demand_snapshots is
  'One row per tick of a zone (30 s), also when nothing changed. Partitions are one month (UTC); kept 400 days.';
comment on column supply_demand_snapshots.price_version is '0 before the first published change.';
