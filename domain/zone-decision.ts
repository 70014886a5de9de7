import { type Limits, type Settlement, capInForce } from './settle.ts';
import { defaultPricingConfig, type GlobalRules, type PricingConfig } from './config.ts';
import type { Decision, Trigger } from './decision.ts';
import type { Rating } from './rate.ts';
import { fromHundredths, type Hundredths, toHundredths } from './units.ts';
import { ownRatio, type ZoneState } from './zone.ts';

/** What `rateZone` answers: the rating, and everything `settle` needs to hold it within the rules in force. */
export interface ZoneRating {
  readonly rating: Rating;
  readonly config: Pick<
    PricingConfig,
    'version' | 'mode' | 'minMultiplier' | 'absoluteMax' | 'limitedAutoCap' | 'maxChangePerPeriod'
  >;
  readonly global: GlobalRules;
  readonly regulatoryCaps: readonly Hundredths[];
}

export function limitsOf({ config, global, regulatoryCaps, rating }: ZoneRating, zone: ZoneState): Limits {
  return { config, global, regulatoryCaps, override: zone.override, feedStale: rating.guard === 'feed-stale' };
}

/** Keeps what the zone learnt from a rating, whether or not its price moved. */
export function noteRating(zone: ZoneState, rated: ZoneRating, settlement: Settlement): ZoneState {
  const { config, global, rating } = rated;
  return {
    ...zone,
    recommended: settlement.recommended,
    floor: toHundredths(config.minMultiplier),
    maxChangePerPeriod: config.maxChangePerPeriod,
    cap: capInForce(limitsOf(rated, zone)),
    confidence: rating.confidence,
    surgeThreshold: global.surgeDetectionThreshold,
    cooldownMs: global.priceChangeCooldownSeconds * 1000,
    stabilityWindowMs: global.priceStabilityWindowMinutes * 60_000,
    rated: { supply: zone.supply, ratio: ownRatio(zone) },
    configVersion: config.version,
    globalVersion: global.version,
  };
}

/** The decision that publishes a settlement that moved. */
export function decisionOf(
  zone: ZoneState,
  rated: ZoneRating,
  settlement: Settlement & { readonly kind: 'moved' },
  at: { readonly trigger: Trigger; readonly runId: string; readonly nowMs: number },
): Decision {
  const { rating } = rated;
  return {
    zoneId: zone.zoneId,
    vehicleClass: zone.vehicleClass,
    version: zone.version + 1,
    oldMultiplier: settlement.from,
    multiplier: settlement.to,
    recommended: settlement.recommended,
    trigger: causeOf(settlement, at.trigger),
    supply: zone.supply,
    demand: zone.demand,
    smoothedSupply: rating.smoothedSupply,
    smoothedDemand: rating.smoothedDemand,
    smoothingFactor: rating.smoothingFactor,
    neighbours: rating.neighbours,
    algorithm: rating.algorithm,
    confidence: rating.confidence,
    guard: rating.guard,
    factors: [...rating.factors, ...settlement.factors],
    exempt: settlement.exempt,
    configVersion: rated.config.version,
    globalVersion: rated.global.version,
    runId: at.runId,
    decidedAtMs: at.nowMs,
    observedAtMs: zone.observedAtMs,
  };
}

/** After an outage: the price that readers of the board already charge becomes the zone's own. */
export function driftDecision(zone: ZoneState, to: Hundredths, runId: string, nowMs: number): Decision {
  const detail = 'what readers of the board charged during the outage';
  return unratedDecision(zone, to, { trigger: 'outage-drift', detail, runId, nowMs });
}

/** A price that only Postgres remembers goes back on the board under a version of its own. */
export function recoveredDecision(zone: ZoneState, runId: string, nowMs: number): Decision {
  const detail = 'the last recorded multiplier, after the board lost it';
  return unratedDecision(zone, zone.multiplier, { trigger: 'recovered', detail, runId, nowMs });
}

/** Made without a rating: no counts were weighed, so it shows the zone's own and the configuration of its last rating. */
function unratedDecision(
  zone: ZoneState,
  to: Hundredths,
  at: { trigger: 'outage-drift' | 'recovered'; detail: string; runId: string; nowMs: number },
): Decision {
  const { zoneId, vehicleClass, supply, demand, lastDecision, configVersion, globalVersion } = zone;
  const { trigger, detail, runId, nowMs } = at;
  return {
    zoneId,
    vehicleClass,
    version: zone.version + 1,
    oldMultiplier: zone.multiplier,
    multiplier: to,
    recommended: to,
    trigger,
    supply,
    demand,
    smoothedSupply: supply,
    smoothedDemand: demand,
    smoothingFactor: 1,
    neighbours: 0,
    algorithm: lastDecision?.algorithm ?? defaultPricingConfig.pricingType,
    confidence: 0,
    guard: null,
    factors: [{ rule: trigger, before: fromHundredths(zone.multiplier), after: fromHundredths(to), detail }],
    exempt: [trigger],
    configVersion,
    globalVersion,
    runId,
    decidedAtMs: nowMs,
    observedAtMs: zone.observedAtMs,
  };
}

function causeOf({ exempt }: Settlement & { readonly kind: 'moved' }, trigger: Trigger): Trigger {
  if (exempt.includes('override')) return 'override';
  if (exempt.includes('emergency') || exempt.includes('maintenance')) return 'emergency';
  return exempt.includes('cap') ? 'cap' : trigger;
}
