-- What drivers and riders sent. Partitions are one day (UTC) each, made ahead and dropped by db/partitions.ts.
-- No foreign keys: at this rate a look-up per row costs more than the row.

create table driver_location_events (
  driver_id text not null check (driver_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
  time timestamptz not null,
  event_id text not null check (length(event_id) between 1 and 128),
  market_id text not null,
  order_id text,
  latitude double precision not null check (latitude between -90 and 90),
  longitude double precision not null check (longitude between -180 and 180),
  speed double precision check (speed >= 0),
  heading double precision check (heading >= 0 and heading < 360),
  accuracy double precision check (accuracy >= 0),
  event_type text not null default 'location',
  is_available boolean,
  vehicle_type text check (vehicle_type in ('standard', 'xl', 'premium', 'scooter', 'bike')),
  h3_cell_id text,
  zone_id text,
  flags text[] not null default '{}' check (flags <@ array['implausible', 'inaccurate', 'late']),
  received_at timestamptz not null,
  primary key (driver_id, time, event_id)
) partition by range (time);
comment on table driver_location_events is 'One row per fix that was answered 202. Raw positions are personal data: kept 90 days.';
comment on column driver_location_events.time is 'When the device says it was there.';
comment on column driver_location_events.speed is 'm/s.';
comment on column driver_location_events.heading is 'Degrees clockwise from north.';
comment on column driver_location_events.accuracy is 'Radius of uncertainty, metres.';
comment on column driver_location_events.is_available is 'As sent; null when the fix did not say.';
comment on column driver_location_events.h3_cell_id is 'Cell of resolution 9.';
comment on column driver_location_events.zone_id is 'Null outside the serviced area.';
comment on column driver_location_events.flags is 'Why a fix was not used for supply: implausible, inaccurate, late.';

create view driver_locations as
  select driver_id, time, time as "timestamp", latitude, longitude, speed, heading, accuracy, order_id, event_type,
         is_available, vehicle_type, h3_cell_id, zone_id, market_id, event_id
  from driver_location_events
  where not flags && array['implausible'];
comment on view driver_locations is 'What a route is drawn from: all fixes but the implausible ones.';

create table demand_events (
  event_id text not null check (length(event_id) between 1 and 128),
  time timestamptz not null,
  kind text not null check (kind in ('app_open', 'search', 'estimate', 'ride_request')),
  rider_hash text not null check (length(rider_hash) between 1 and 128),
  market_id text not null,
  zone_id text,
  vehicle_type text not null check (vehicle_type in ('standard', 'xl', 'premium', 'scooter', 'bike')),
  vehicle_class text not null check (vehicle_class in ('car', 'scooter', 'bike')),
  latitude double precision not null check (latitude between -90 and 90),
  longitude double precision not null check (longitude between -180 and 180),
  weight_tenths smallint not null check (weight_tenths between 1 and 10),
  flags text[] not null default '{}' check (flags <@ array['late']),
  received_at timestamptz not null,
  primary key (event_id, time)
) partition by range (time);
comment on table demand_events is 'One row per demand event that was answered 202. Kept 90 days.';
comment on column demand_events.rider_hash is 'Keyed hash of the rider; never the id.';
comment on column demand_events.weight_tenths is 'Tenths of one ride request.';
