import { z } from 'zod';
import { inefficiency } from '../domain/analytics.ts';
import { defaultTariff, fare } from '../domain/fare.ts';
import { estimatedEarningsPerHour } from '../domain/guidance.ts';
import { vehicleTypes } from '../domain/ids.ts';
import { currencyDecimals } from '../domain/money.ts';
import { mergeAverages } from '../domain/trip-metrics.ts';
import { toHundredths } from '../domain/units.ts';
import { Counts, figure, n, section } from './vector-section.ts';

export const earnings = section(Counts.extend({ multiplier: n, average_base_fare: n, per_hour: n }), (given) => {
  const got = estimatedEarningsPerHour({
    supply: given.supply,
    demand: given.demand,
    multiplier: toHundredths(given.multiplier),
    averageBaseFareMinor: toHundredths(given.average_base_fare),
  });
  return [figure('per_hour (cents)', toHundredths(given.per_hour), got)];
});

const Place = z.tuple([n, n]).transform(([latitude, longitude]) => ({ latitude, longitude }));
const Fare = z.object({
  pickup: Place,
  dropoff: Place,
  vehicle_type: z.enum(vehicleTypes),
  type_factor: n,
  tariff: z.object({
    currency: z.string(),
    decimals: n,
    flagfall: z.string(),
    per_km: z.string(),
    per_min: z.string(),
    minimum: z.string(),
  }),
  circuity: n,
  speed_kmh: n,
  multiplier: n,
  distance_km: n,
  duration_min: n,
  base_fare_minor: n,
  final_fare_minor: n,
});

export const fareSection = section(Fare, ({ tariff, vehicle_type: type, ...given }) => {
  const used = {
    currency: tariff.currency,
    flagfall: tariff.flagfall,
    perKm: tariff.per_km,
    perMin: tariff.per_min,
    minimum: tariff.minimum,
    circuity: given.circuity,
    speedKmh: given.speed_kmh,
    typeFactors: { ...defaultTariff.typeFactors, [type]: String(given.type_factor) },
  };
  const got = fare(given.pickup, given.dropoff, type, used, toHundredths(given.multiplier));
  return [
    figure('decimals', tariff.decimals, currencyDecimals(tariff.currency)),
    figure('distance_km (tenths)', Math.round(given.distance_km * 10), Math.round(got.distanceKm * 10)),
    figure('duration_min', given.duration_min, got.durationMin),
    figure('base_fare_minor', given.base_fare_minor, got.baseFareMinor),
    figure('final_fare_minor', given.final_fare_minor, got.finalFareMinor),
  ];
});

export const inefficiencySection = section(
  z.object({ average_multiplier: n, completion_rate_percent: n, counted: z.boolean(), score: n }),
  (given) => {
    const got = inefficiency(given.average_multiplier, given.completion_rate_percent);
    return [figure('counted', given.counted, got.counted), figure('score', given.score, got.score)];
  },
);

const TripAverage = z
  .object({ trip_count: n, avg_duration_s: n })
  .transform((given) => ({ tripCount: given.trip_count, avgDurationS: given.avg_duration_s }));

export const merge = section(
  z.object({ a: TripAverage, b: TripAverage, trip_count: n, avg_duration_s: n }),
  (given) => {
    const got = mergeAverages(given.a, given.b);
    return [
      figure('trip_count', given.trip_count, got.tripCount),
      figure('avg_duration_s', given.avg_duration_s, got.avgDurationS),
    ];
  },
);
