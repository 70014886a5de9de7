import { z } from 'zod';
import { nextAdaptiveFactor } from '../domain/adaptive.ts';
import { algorithms } from '../domain/algorithms/registry.ts';
import {
  decayPeriodMs,
  defaultGlobalRules,
  defaultPricingConfig,
  driverTtlMs,
  pricingModes,
  type PricingType,
} from '../domain/config.ts';
import { decay } from '../domain/decay.ts';
import { drift } from '../domain/drift.ts';
import { driverShare, tripsPerHour } from '../domain/guidance.ts';
import { applyRules, rate } from '../domain/rate.ts';
import { settle } from '../domain/settle.ts';
import { smooth, smoothingDecayKm, smoothingRadiusKm } from '../domain/smoothing.ts';
import { floorHundredths, toHundredths } from '../domain/units.ts';
import { earnings, fareSection, inefficiencySection, merge } from './vector-money.ts';
import { Counts, figure, n, section, type Section } from './vector-section.ts';

function curve(type: PricingType): Section {
  const schema = z.object({
    ratio: n,
    multiplier: n,
    linear_factor: n.default(defaultPricingConfig.linearFactor),
    exponential_factor: n.default(defaultPricingConfig.exponentialFactor),
  });
  return section(schema, (given) => {
    const got = algorithms[type].multiplier({
      ratio: given.ratio,
      linearFactor: given.linear_factor,
      exponentialFactor: given.exponential_factor,
      adaptiveFactor: 1,
      modelMultiplier: null,
    });
    return [figure('multiplier', given.multiplier, got)];
  });
}

const adaptiveFactor = section(
  z.object({ completion_rates: z.array(n.nullable()), factors: z.array(n) }),
  ({ completion_rates: rates, factors }) => {
    let factor = 1;
    const got = rates.map((rate) => (factor = nextAdaptiveFactor(factor, rate)));
    return [
      figure('ticks', factors.length, rates.length),
      ...factors.map((expected, tick) => figure(`factor after tick ${tick + 1}`, expected, got[tick])),
    ];
  },
);

const decaySection = section(
  Counts.extend({ stale_periods: n, supply_after: n, demand_after: n }),
  ({ supply, demand, ...given }) => {
    let counts = { supply, demand };
    for (let period = 0; period < given.stale_periods; period += 1) counts = decay(counts, false);
    return [
      figure('supply_after', given.supply_after, counts.supply),
      figure('demand_after', given.demand_after, counts.demand),
    ];
  },
);

const smoothing = section(
  Counts.extend({ own: Counts, neighbours: z.array(Counts.extend({ distance_km: n })), neighbours_used: n }),
  (given) => {
    const got = smooth(
      given.own,
      given.neighbours.map((neighbour) => ({ ...neighbour, distanceKm: neighbour.distance_km })),
    );
    return [
      figure('supply', given.supply, got.supply),
      figure('demand', given.demand, got.demand),
      figure('neighbours_used', given.neighbours_used, got.neighbours),
    ];
  },
);

const RateAndSettle = z.object({
  base: n,
  min: n,
  max: n,
  absolute_max: n,
  rush: z.boolean(),
  severe_weather: z.boolean(),
  event: z.boolean(),
  regulatory_cap: n.nullable(),
  mode: z.enum(pricingModes),
  emergency: z.boolean(),
  maintenance: z.boolean(),
  override: n.nullable(),
  last: n,
  period_start: n,
  seconds_since_change: n,
  rated: n,
  published: n,
});

const rateAndSettle = section(RateAndSettle, (given) => {
  const config = {
    ...defaultPricingConfig,
    minMultiplier: given.min,
    maxMultiplier: given.max,
    absoluteMax: given.absolute_max,
    mode: given.mode,
  };
  const context = { rushHour: given.rush, severeWeather: given.severe_weather, event: given.event };
  const rated = applyRules(given.base, config, context);
  const nowMs = Date.UTC(2026, 0, 1);
  const settlement = settle(
    rated,
    {
      last: toHundredths(given.last),
      periodStart: toHundredths(given.period_start),
      lastChangedAtMs: nowMs - given.seconds_since_change * 1000,
    },
    {
      config,
      global: { ...defaultGlobalRules, emergencyMode: given.emergency, maintenanceMode: given.maintenance },
      regulatoryCaps: given.regulatory_cap === null ? [] : [floorHundredths(given.regulatory_cap)],
      override: given.override === null ? null : { multiplier: toHundredths(given.override), expiresAtMs: nowMs + 1 },
      feedStale: false,
    },
    nowMs,
  );
  const published = settlement.kind === 'moved' ? settlement.to : settlement.at;
  return [
    figure('rated', given.rated, rated),
    figure('published (hundredths)', toHundredths(given.published), published),
  ];
});

const Guard = Counts.extend({
  feed: z.enum(['healthy', 'unknown']),
  seconds_since_observation: n,
  last: n,
  min: n,
  max: n,
  linear_factor: n,
  max_change_per_period: n,
  reason: z.string().nullable(),
  base: n,
});

const guard = section(Guard, (given) => {
  const got = rate({
    own: { supply: given.supply, demand: given.demand },
    neighbours: [],
    feed: given.feed,
    observationAgeMs: given.seconds_since_observation * 1000,
    last: toHundredths(given.last),
    config: {
      ...defaultPricingConfig,
      minMultiplier: given.min,
      maxMultiplier: given.max,
      absoluteMax: given.max,
      linearFactor: given.linear_factor,
      maxChangePerPeriod: given.max_change_per_period,
    },
    adaptiveFactor: 1,
    context: { rushHour: false, severeWeather: false, event: false },
  });
  return [figure('reason', given.reason, got.guard), figure('base', given.base, got.base)];
});

/** The constants that the other sections assume, against those of the code. */
const constants: Readonly<Record<string, number>> = {
  rush_hour_multiplier: defaultPricingConfig.rushHourMultiplier,
  weather_multiplier: defaultPricingConfig.weatherMultiplier,
  event_multiplier: defaultPricingConfig.eventMultiplier,
  max_change_per_period: defaultPricingConfig.maxChangePerPeriod,
  limited_auto_cap: defaultPricingConfig.limitedAutoCap,
  price_change_cooldown_seconds: defaultGlobalRules.priceChangeCooldownSeconds,
  emergency_multiplier: defaultGlobalRules.emergencyMultiplier,
  maintenance_mode_multiplier: defaultGlobalRules.maintenanceModeMultiplier,
  max_global_multiplier: defaultGlobalRules.maxGlobalMultiplier,
  decay_period_seconds: decayPeriodMs / 1000,
  driver_ttl_seconds: driverTtlMs / 1000,
  trips_per_hour: tripsPerHour,
  driver_share: driverShare,
  smoothing_radius_km: smoothingRadiusKm,
  smoothing_decay_km: smoothingDecayKm,
};

const defaults = section(z.record(z.string(), n), (given) =>
  Object.entries(given).map(([name, expected]) => figure(name, expected, constants[name])),
);

const driftSection = section(z.object({ multiplier: n, stale_periods: n, after: n }), (given) => {
  const { minMultiplier, maxChangePerPeriod } = defaultPricingConfig;
  const got = drift(given.multiplier, given.stale_periods, minMultiplier, maxChangePerPeriod);
  return [figure('after', given.after, got)];
});

/** How to run a case of each section of a file of worked values. */
export const sections: Readonly<Record<string, Section>> = {
  piecewise: curve('piecewise'),
  two_slope: curve('two_slope'),
  linear: curve('linear'),
  exponential: curve('exponential'),
  adaptive_factor: adaptiveFactor,
  decay: decaySection,
  smoothing,
  rate_and_settle: rateAndSettle,
  guard,
  defaults,
  drift: driftSection,
  earnings,
  fare: fareSection,
  inefficiency: inefficiencySection,
  weighted_average_merge: merge,
};
