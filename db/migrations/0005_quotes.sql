create table quotes (
  quote_id uuid primary key,
  subject text not null,
  market_id text not null,
  zone_id text not null,
  vehicle_class text not null check (vehicle_class in ('car', 'scooter', 'bike')),
  vehicle_type text not null check (vehicle_type in ('standard', 'xl', 'premium', 'scooter', 'bike')),
  price_version integer not null check (price_version >= 0),
  price_as_of timestamptz,
  base_fare_minor bigint not null check (base_fare_minor >= 0),
  multiplier numeric(6, 2) not null check (multiplier > 0),
  final_fare_minor bigint not null check (final_fare_minor >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  pickup_lat double precision not null check (pickup_lat between -90 and 90),
  pickup_lng double precision not null check (pickup_lng between -180 and 180),
  dropoff_lat double precision not null check (dropoff_lat between -90 and 90),
  dropoff_lng double precision not null check (dropoff_lng between -180 and 180),
  distance_km numeric(8, 1) not null check (distance_km > 0),
  duration_min integer not null check (duration_min > 0),
  issued_at timestamptz not null default now(),
  valid_until timestamptz not null default now() + interval '5 minutes',
  source text not null check (source in ('live', 'redis', 'database', 'tariff', 'emergency_fallback')),
  details jsonb not null default '{}',
  signing_key_id text,
  accepted_at timestamptz,
  ride_id text unique,
  check (valid_until > issued_at),
  check ((accepted_at is null) = (ride_id is null))
);
create index quotes_by_subject on quotes (subject, issued_at desc);
create index quotes_by_zone on quotes (zone_id, vehicle_class, price_version);
create index quotes_by_time on quotes (issued_at);
comment on table quotes is 'A price given to one caller; committed before the caller sees it. Kept 400 days.';
comment on column quotes.subject is 'Whose quote it is; for anybody else it does not exist.';
comment on column quotes.price_version is 'Version of the zone''s price, 0 for the floor before the first change.';
comment on column quotes.base_fare_minor is 'Whole minor units of the currency.';
comment on column quotes.final_fare_minor is 'Whole minor units of the currency.';
comment on column quotes.distance_km is 'As displayed, rounded to 0.1 km; the fare is computed from it.';
comment on column quotes.duration_min is 'As displayed, whole minutes.';
comment on column quotes.issued_at is 'The clock of this database decides; a quote made while it was away carries the sampled offset.';
comment on column quotes.details is 'What else the answer showed: breakdown, explanation, zone name, demand level, warning.';
comment on column quotes.signing_key_id is 'Key that signed the quote token.';
