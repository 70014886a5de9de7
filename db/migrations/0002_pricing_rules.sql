-- How zones are priced. Every version is kept for ever, as decisions and quotes name the version that made them.

create table zone_pricing_configs (
  config_id bigint generated always as identity primary key,
  market_id text not null references markets,
  zone_id text,
  vehicle_class text check (vehicle_class in ('car', 'scooter', 'bike')),
  version integer not null check (version > 0),
  state text not null default 'draft' check (state in ('draft', 'shadow', 'active', 'retired')),
  is_active boolean not null generated always as (state = 'active') stored,
  min_multiplier numeric(6, 2) not null default 1.00 check (min_multiplier > 0),
  max_multiplier numeric(6, 2) not null default 5.00,
  absolute_max numeric(6, 2),
  pricing_type text not null default 'linear'
    check (pricing_type in ('piecewise', 'two_slope', 'linear', 'exponential', 'adaptive', 'ml_based')),
  linear_factor numeric(8, 4) not null default 0.5 check (linear_factor >= 0),
  exponential_factor numeric(8, 4) not null default 0.3 check (exponential_factor >= 0),
  use_ml_pricing boolean not null default false,
  rush_hour_multiplier numeric(6, 2) not null default 1.10 check (rush_hour_multiplier > 0),
  weather_multiplier numeric(6, 2) not null default 1.20 check (weather_multiplier > 0),
  event_multiplier numeric(6, 2) not null default 1.30 check (event_multiplier > 0),
  max_change_per_period numeric(4, 3) not null default 0.5 check (max_change_per_period > 0 and max_change_per_period < 1),
  mode text not null default 'full_auto' check (mode in ('full_auto', 'limited_auto', 'manual')),
  limited_auto_cap numeric(6, 2) not null default 3.00 check (limited_auto_cap > 0),
  max_neighbour_gap numeric(6, 2) check (max_neighbour_gap > 0),
  zone_type text,
  author text not null,
  reason text not null check (reason <> ''),
  created_at timestamptz not null default now(),
  unique nulls not distinct (market_id, zone_id, vehicle_class, version),
  check (max_multiplier >= min_multiplier),
  check (absolute_max is null or absolute_max >= min_multiplier)
);
create unique index zone_pricing_configs_one_active on zone_pricing_configs (market_id, zone_id, vehicle_class)
  nulls not distinct where state = 'active';
create unique index zone_pricing_configs_one_shadow on zone_pricing_configs (market_id, zone_id, vehicle_class)
  nulls not distinct where state = 'shadow';
comment on table zone_pricing_configs is 'Versions of the pricing of a zone and class. Multipliers are ratios. Kept for ever.';
comment on column zone_pricing_configs.zone_id is 'Null: the default of the market.';
comment on column zone_pricing_configs.vehicle_class is 'Null: every class that has no row of its own.';
comment on column zone_pricing_configs.absolute_max is 'Null: the same as max_multiplier.';
comment on column zone_pricing_configs.max_change_per_period is 'Part of the multiplier at the start of a decay period (30 s).';

create table global_pricing_rules (
  version integer primary key check (version > 0),
  max_global_multiplier numeric(6, 2) not null default 10.00 check (max_global_multiplier > 0),
  emergency_mode boolean not null default false,
  emergency_multiplier numeric(6, 2) not null default 1.00 check (emergency_multiplier > 0),
  maintenance_mode boolean not null default false,
  maintenance_mode_multiplier numeric(6, 2) not null default 1.00 check (maintenance_mode_multiplier > 0),
  default_algorithm text not null default 'linear'
    check (default_algorithm in ('piecewise', 'two_slope', 'linear', 'exponential', 'adaptive', 'ml_based')),
  price_change_cooldown_seconds integer not null default 60 check (price_change_cooldown_seconds >= 0),
  surge_detection_threshold numeric(6, 2) not null default 1.20 check (surge_detection_threshold >= 1),
  price_stability_window_minutes integer not null default 5 check (price_stability_window_minutes > 0),
  is_active boolean not null default false,
  author text not null default 'system',
  reason text not null default 'defaults' check (reason <> ''),
  created_at timestamptz not null default now()
);
create unique index global_pricing_rules_one_active on global_pricing_rules (is_active) where is_active;
comment on table global_pricing_rules is 'Limits and switches over all markets; one version is active. Kept for ever.';

insert into global_pricing_rules (version, is_active) values (1, true);
