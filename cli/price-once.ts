import {
  defaultGlobalRules,
  defaultPricingConfig,
  type GlobalRules,
  type PricingConfig,
  type PricingMode,
  type PricingType,
} from '../domain/config.ts';
import type { Factor } from '../domain/decision.ts';
import type { Feed } from '../domain/observation.ts';
import { rate } from '../domain/rate.ts';
import { settle } from '../domain/settle.ts';
import type { Neighbour } from '../domain/smoothing.ts';
import { floorHundredths, fromHundredths, toHundredths } from '../domain/units.ts';

/** Figures of one zone as they are given on the command line: multipliers as ratios, times in seconds. */
export interface PriceOptions {
  readonly supply: number;
  readonly demand: number;
  readonly neighbour: readonly Neighbour[];
  readonly feed: Feed;
  readonly age: number;
  readonly last: number;
  readonly periodStart?: number;
  readonly sinceChange?: number;
  readonly algorithm: PricingType;
  readonly linearFactor?: number;
  readonly exponentialFactor?: number;
  readonly adaptiveFactor: number;
  readonly model?: number;
  readonly min?: number;
  readonly max?: number;
  readonly rushHour?: boolean;
  readonly severeWeather?: boolean;
  readonly event?: boolean;
  readonly rushHourMultiplier?: number;
  readonly weatherMultiplier?: number;
  readonly eventMultiplier?: number;
  readonly mode: PricingMode;
  readonly absoluteMax?: number;
  readonly globalMax?: number;
  readonly regulatoryCap: readonly number[];
  readonly limitedAutoCap?: number;
  readonly maxChange?: number;
  readonly cooldown?: number;
  readonly override?: number;
  readonly emergency?: boolean;
  readonly emergencyMultiplier?: number;
  readonly maintenance?: boolean;
  readonly maintenanceMultiplier?: number;
}

/** One decision, in the field names of the HTTP API. */
export interface PriceAnswer {
  readonly multiplier: number;
  readonly last: number;
  /** null when the price moved. */
  readonly held_by: 'cooldown' | 'unchanged' | 'manual' | null;
  readonly recommended: number;
  readonly exempt: readonly string[];
  readonly surging: boolean;
  readonly rated: number;
  readonly base: number;
  readonly algorithm_used: PricingType;
  readonly confidence_score: number;
  readonly guard: string | null;
  readonly smoothed_supply: number;
  readonly smoothed_demand: number;
  readonly smoothing_factor: number;
  readonly neighboring_zones_count: number;
  readonly factors: readonly Factor[];
}

export function priceOnce(options: PriceOptions): PriceAnswer {
  const config = configOf(options);
  const global = globalOf(options);
  const last = toHundredths(options.last);
  const rating = rate({
    own: { supply: options.supply, demand: options.demand },
    neighbours: options.neighbour,
    feed: options.feed,
    observationAgeMs: options.age * 1000,
    last,
    config,
    adaptiveFactor: options.adaptiveFactor,
    context: {
      rushHour: options.rushHour ?? false,
      severeWeather: options.severeWeather ?? false,
      event: options.event ?? false,
    },
    modelMultiplier: options.model,
  });
  // Only differences of times matter to the rules, so any moment serves as now.
  const nowMs = 0;
  const settlement = settle(
    rating.rated,
    {
      last,
      periodStart: toHundredths(options.periodStart ?? options.last),
      lastChangedAtMs: options.sinceChange === undefined ? null : nowMs - options.sinceChange * 1000,
    },
    {
      config,
      global,
      regulatoryCaps: options.regulatoryCap.map(floorHundredths),
      override:
        options.override === undefined ? null : { multiplier: toHundredths(options.override), expiresAtMs: nowMs + 1 },
      feedStale: rating.guard === 'feed-stale',
    },
    nowMs,
  );
  const multiplier = fromHundredths(settlement.kind === 'moved' ? settlement.to : settlement.at);
  return {
    multiplier,
    last: fromHundredths(last),
    held_by: settlement.kind === 'held' ? settlement.by : null,
    recommended: fromHundredths(settlement.recommended),
    exempt: settlement.kind === 'moved' ? settlement.exempt : [],
    surging: multiplier >= global.surgeDetectionThreshold,
    rated: rating.rated,
    base: rating.base,
    algorithm_used: rating.algorithm,
    confidence_score: rating.confidence,
    guard: rating.guard,
    smoothed_supply: rating.smoothedSupply,
    smoothed_demand: rating.smoothedDemand,
    smoothing_factor: rating.smoothingFactor,
    neighboring_zones_count: rating.neighbours,
    factors: [...rating.factors, ...settlement.factors],
  };
}

function configOf(options: PriceOptions): PricingConfig {
  const standard = defaultPricingConfig;
  const maxMultiplier = options.max ?? standard.maxMultiplier;
  return {
    version: standard.version,
    pricingType: options.algorithm,
    minMultiplier: options.min ?? standard.minMultiplier,
    maxMultiplier,
    absoluteMax: options.absoluteMax ?? maxMultiplier,
    linearFactor: options.linearFactor ?? standard.linearFactor,
    exponentialFactor: options.exponentialFactor ?? standard.exponentialFactor,
    rushHourMultiplier: options.rushHourMultiplier ?? standard.rushHourMultiplier,
    weatherMultiplier: options.weatherMultiplier ?? standard.weatherMultiplier,
    eventMultiplier: options.eventMultiplier ?? standard.eventMultiplier,
    maxChangePerPeriod: options.maxChange ?? standard.maxChangePerPeriod,
    mode: options.mode,
    limitedAutoCap: options.limitedAutoCap ?? standard.limitedAutoCap,
  };
}

function globalOf(options: PriceOptions): GlobalRules {
  const standard = defaultGlobalRules;
  return {
    ...standard,
    maxGlobalMultiplier: options.globalMax ?? standard.maxGlobalMultiplier,
    emergencyMode: options.emergency ?? false,
    emergencyMultiplier: options.emergencyMultiplier ?? standard.emergencyMultiplier,
    maintenanceMode: options.maintenance ?? false,
    maintenanceModeMultiplier: options.maintenanceMultiplier ?? standard.maintenanceModeMultiplier,
    priceChangeCooldownSeconds: options.cooldown ?? standard.priceChangeCooldownSeconds,
  };
}
