import { algorithms } from './algorithms/registry.ts';
import { decayPeriodMs, driverTtlMs, type PricingConfig, type PricingType } from './config.ts';
import { type Counts, negligible } from './counts.ts';
import type { Factor } from './decision.ts';
import { Chain } from './factor-chain.ts';
import type { Feed } from './observation.ts';
import { type Neighbour, smooth, type Smoothed } from './smoothing.ts';
import { fromHundredths, type Hundredths, quantise } from './units.ts';

/** What the world around the zone asks for, already evaluated in the market's time zone. */
export interface PricingContext {
  readonly rushHour: boolean;
  readonly severeWeather: boolean;
  readonly event: boolean;
}

export interface RateInput {
  readonly own: Counts;
  /** Only those that were freshly observed. */
  readonly neighbours: readonly Neighbour[];
  readonly feed: Feed;
  /** How long ago the driver feed last vouched for the zone's own supply. */
  readonly observationAgeMs: number;
  /** The multiplier in force. */
  readonly last: Hundredths;
  readonly config: PricingConfig;
  readonly adaptiveFactor: number;
  readonly context: PricingContext;
  /** What a trained model asks for; left out where none is loaded. */
  readonly modelMultiplier?: number | undefined;
}

export type Guard = 'feed-stale' | 'no-activity' | 'no-supply';

/** The multiplier that smoothing, guard, curve and rules 1–4 ask for, with everything that explains it. */
export interface Rating {
  readonly rated: number;
  /** Before rules 2–4, within the zone's bounds. */
  readonly base: number;
  /** The curve that was really used. */
  readonly algorithm: PricingType;
  readonly confidence: number;
  readonly guard: Guard | null;
  readonly smoothedSupply: number;
  readonly smoothedDemand: number;
  readonly smoothingFactor: number;
  readonly neighbours: number;
  /** From 1 to `rated`. */
  readonly factors: readonly Factor[];
}

/** Curves without a ceiling of their own are cut here, so that every figure stays finite and on the decimal grid. */
const highestCurve = 1_000_000;

export function rate(input: RateInput): Rating {
  const smoothed = smooth(input.own, input.neighbours);
  const guard = guardFor(smoothed, input);
  const chain = new Chain(1);
  const algorithm = applyBase(chain, guard, smoothed, input);
  const base = chain.value;
  if (guard === null || guard === 'no-supply') applyContext(chain, input.config, input.context);
  const freshness = Math.max(0, 1 - input.observationAgeMs / driverTtlMs);
  return {
    rated: chain.value,
    base,
    algorithm,
    confidence: quantise(algorithms[algorithm].confidence * Math.min(1, freshness)),
    guard,
    smoothedSupply: smoothed.supply,
    smoothedDemand: smoothed.demand,
    smoothingFactor: smoothed.smoothingFactor,
    neighbours: smoothed.neighbours,
    factors: chain.factors,
  };
}

/** Rules 1–4 on any base. */
export function applyRules(base: number, config: PricingConfig, context: PricingContext): number {
  const chain = new Chain(base);
  applyBounds(chain, config);
  applyContext(chain, config, context);
  return chain.value;
}

function guardFor({ supply, demand }: Counts, { feed, observationAgeMs }: RateInput): Guard | null {
  if (feed === 'unknown' || observationAgeMs > 2 * decayPeriodMs) return 'feed-stale';
  if (supply >= negligible) return null;
  return demand < negligible ? 'no-activity' : 'no-supply';
}

/** Guard or curve, and the bounds; answers the curve that was used. */
function applyBase(chain: Chain, guard: Guard | null, smoothed: Smoothed, input: RateInput): PricingType {
  const { config } = input;
  switch (guard) {
    case 'no-activity':
      chain.apply('no-activity', config.minMultiplier, 'no drivers and no riders: the floor');
      applyBounds(chain, config);
      return config.pricingType;
    case 'no-supply':
      chain.apply('no-supply', config.maxMultiplier, 'riders but no driver: the highest multiplier');
      applyBounds(chain, config);
      return config.pricingType;
    case 'feed-stale':
      return applyStale(chain, smoothed, input);
    case null: {
      const algorithm = applyCurve(chain, smoothed, input);
      applyBounds(chain, config);
      return algorithm;
    }
    default:
      return guard satisfies never;
  }
}

/** Without a trusted feed a price may fall, never rise. */
function applyStale(chain: Chain, smoothed: Smoothed, input: RateInput): PricingType {
  const { config, observationAgeMs } = input;
  const last = fromHundredths(input.last);
  if (observationAgeMs > driverTtlMs) {
    const step = Math.max(config.minMultiplier, last * (1 - config.maxChangePerPeriod));
    chain.apply('feed-stale', Math.min(last, step), 'no trusted driver feed for longer than its validity: a step down');
    return config.pricingType;
  }
  if (smoothed.supply < negligible) {
    chain.apply('feed-stale', last, 'no trusted driver feed and no driver known: the last multiplier');
    return config.pricingType;
  }
  const algorithm = applyCurve(chain, smoothed, input);
  applyBounds(chain, config);
  chain.apply('feed-stale', Math.min(chain.value, last), 'no trusted driver feed: at most the last multiplier');
  return algorithm;
}

function applyCurve(chain: Chain, smoothed: Smoothed, input: RateInput): PricingType {
  const { pricingType, linearFactor, exponentialFactor } = input.config;
  const curve = {
    ratio: smoothed.demand / smoothed.supply,
    linearFactor,
    exponentialFactor,
    adaptiveFactor: input.adaptiveFactor,
    modelMultiplier: input.modelMultiplier ?? null,
  };
  const asked = algorithms[pricingType].multiplier(curve);
  const multiplier = asked ?? algorithms.linear.multiplier(curve) ?? 1;
  const figures = `demand ${smoothed.demand} / supply ${smoothed.supply} = ${quantise(curve.ratio)}`;
  const name = asked === undefined ? `linear, as no model is loaded for ${pricingType}` : pricingType;
  chain.apply('algorithm', Math.min(multiplier, highestCurve), `${name}: ${figures}`);
  return asked === undefined ? 'linear' : pricingType;
}

function applyBounds(chain: Chain, { minMultiplier, maxMultiplier }: PricingConfig): void {
  const bounded = Math.min(Math.max(chain.value, minMultiplier), maxMultiplier);
  chain.applyIfChanged('bounds', bounded, `between ${minMultiplier} and ${maxMultiplier}`);
}

function applyContext(chain: Chain, config: PricingConfig, context: PricingContext): void {
  const scale = (rule: string, factor: number) => chain.apply(rule, chain.value * factor, `× ${factor}`);
  if (context.rushHour) scale('rush-hour', config.rushHourMultiplier);
  if (context.severeWeather) scale('weather', config.weatherMultiplier);
  if (context.event) scale('event', config.eventMultiplier);
}
