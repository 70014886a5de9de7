import { decayPeriodMs, defaultGlobalRules, defaultPricingConfig, type Override } from './config.ts';
import type { Decision } from './decision.ts';
import { negligible } from './counts.ts';
import { decay, decayedShare } from './decay.ts';
import type { VehicleClass, ZoneId } from './ids.ts';
import type { Observation } from './observation.ts';
import { type DemandAverages, startAverages, updateAverages } from './trend.ts';
import { type Hundredths, quantise, toHundredths } from './units.ts';

/** A zone may fall asleep after this many quiet ticks. */
export const quietTicksBeforeSleep = 20;

/** The most demand (tenths of a request) a zone takes within one period; a broken counter must not buy a surge. */
export const mostDemandPerPeriodTenths = 20_000;

/** Everything a zone × class knows, plain data: it travels through continue-as-new. Counts are doubles, not rounded. */
export interface ZoneState {
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
  readonly version: number;
  readonly multiplier: Hundredths;
  readonly recommended: Hundredths;
  readonly floor: Hundredths;
  readonly maxChangePerPeriod: number;
  /** The multiplier at the start of the current tick-aligned period, from which rule 9 measures. */
  readonly periodStart: Hundredths;
  readonly lastChangedAtMs: number;
  /** When the board last took a refresh or a publish from this zone. */
  readonly asOfMs: number;
  readonly nextTickAtMs: number;
  readonly epoch: number;
  readonly rev: number;
  readonly demandTotal: number;
  readonly demandTakenTenths: number;
  readonly demandRefusedTenths: number;
  readonly supply: number;
  readonly demand: number;
  readonly supplyAsOfMs: number;
  readonly observedAtMs: number;
  readonly feed: Observation['feed'];
  /** True when an observation vouched for the supply within the current period. */
  readonly supplyRefreshed: boolean;
  readonly averages: DemandAverages;
  readonly adaptiveFactor: number;
  readonly confidence: number;
  /** The zone's own, unsmoothed figures when it was last rated; null before the first time. */
  readonly rated: { readonly supply: number; readonly ratio: number } | null;
  readonly quietTicks: number;
  readonly surging: boolean;
  readonly override: Override | null;
  /** False while a decision could not be written to the board. */
  readonly published: boolean;
  /** The cap in force at the last rating; an override beyond it is refused. */
  readonly cap: Hundredths;
  readonly surgeThreshold: number;
  readonly cooldownMs: number;
  readonly stabilityWindowMs: number;
  readonly lastDecision: Decision | null;
  /** Of the last rating: a steady zone is rated again when they changed. */
  readonly configVersion: number;
  readonly globalVersion: number;
}

/** A zone that nobody has priced yet. */
export function newZone(zoneId: ZoneId, vehicleClass: VehicleClass, nowMs: number, nextTickAtMs: number): ZoneState {
  const floor = toHundredths(defaultPricingConfig.minMultiplier);
  return {
    zoneId,
    vehicleClass,
    version: 0,
    multiplier: floor,
    recommended: floor,
    floor,
    maxChangePerPeriod: defaultPricingConfig.maxChangePerPeriod,
    periodStart: floor,
    lastChangedAtMs: 0,
    asOfMs: nowMs,
    nextTickAtMs,
    epoch: 0,
    rev: 0,
    demandTotal: 0,
    demandTakenTenths: 0,
    demandRefusedTenths: 0,
    supply: 0,
    demand: 0,
    supplyAsOfMs: 0,
    observedAtMs: 0,
    feed: 'unknown',
    supplyRefreshed: false,
    averages: startAverages(),
    adaptiveFactor: 1,
    confidence: 0,
    rated: null,
    quietTicks: 0,
    surging: false,
    override: null,
    published: true,
    cap: toHundredths(defaultPricingConfig.absoluteMax),
    surgeThreshold: defaultGlobalRules.surgeDetectionThreshold,
    cooldownMs: defaultGlobalRules.priceChangeCooldownSeconds * 1000,
    stabilityWindowMs: defaultGlobalRules.priceStabilityWindowMinutes * 60_000,
    lastDecision: null,
    configVersion: 0,
    globalVersion: 0,
  };
}

/** Order of observations: epoch, then rev; within one rev the later reading only vouches longer for the same figures. */
export function isNewer(a: Observation, b: Pick<Observation, 'epoch' | 'rev' | 'observedAtMs'>): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  if (a.rev !== b.rev) return a.rev > b.rev;
  return a.observedAtMs > b.observedAtMs;
}

/** The newest of what arrived wins; repeats, splits and shuffles of the same observations end in the same state. */
export function foldObservation(zone: ZoneState, seen: Observation): ZoneState {
  if (!isNewer(seen, zone)) return zone;
  const periods = periodsCovered(zone, seen);
  const { taken, refused } = newDemand(zone, seen, periods);
  const healthy = seen.feed === 'healthy';
  return {
    ...zone,
    epoch: seen.epoch,
    rev: seen.rev,
    demandTotal: seen.demandTotal,
    demandTakenTenths: zone.demandTakenTenths + taken,
    demandRefusedTenths: zone.demandRefusedTenths + refused,
    // After an outage the difference gathered over many periods and must not arrive as if it were all of now.
    demand: zone.demand + (taken / 10) * decayedShare(periods),
    // Without a healthy feed a count says nothing about the street: the last known supply stays and decays.
    supply: healthy ? seen.supply : zone.supply,
    supplyRefreshed: zone.supplyRefreshed || healthy,
    supplyAsOfMs: Math.max(zone.supplyAsOfMs, seen.supplyAsOfMs),
    observedAtMs: seen.observedAtMs,
    feed: seen.feed,
    quietTicks: seen.supply > 0 || taken > 0 ? 0 : zone.quietTicks,
  };
}

/** How many whole periods the difference to the last observation stands for; 1 in normal times. */
function periodsCovered(zone: ZoneState, seen: Observation): number {
  if (zone.observedAtMs === 0) return 1;
  return Math.max(1, Math.floor((seen.observedAtMs - zone.observedAtMs) / decayPeriodMs));
}

function newDemand(zone: ZoneState, seen: Observation, periods: number): { taken: number; refused: number } {
  // A higher epoch counts from somewhere else, and a smaller total is a failover: neither is new demand.
  const rebased = zone.epoch !== 0 && seen.epoch !== zone.epoch;
  const grown = rebased ? 0 : Math.max(0, seen.demandTotal - zone.demandTotal);
  const taken = Math.min(grown, Math.max(0, periods * mostDemandPerPeriodTenths - zone.demandTakenTenths));
  return { taken, refused: grown - taken };
}

/** Whole periods that a tick at `nowMs` stands for: more than one after an outage. */
export function periodsDue(zone: ZoneState, nowMs: number): number {
  return 1 + Math.max(0, Math.floor((nowMs - zone.nextTickAtMs) / decayPeriodMs));
}

/** One tick: decay by the periods that passed, start a new period, move the trend. */
export function tickZone(zone: ZoneState, nowMs: number): ZoneState {
  const periods = periodsDue(zone, nowMs);
  let counts = { supply: zone.supply, demand: zone.demand };
  let averages = zone.averages;
  for (let i = 0; i < periods; i += 1) {
    averages = updateAverages(averages, counts.demand);
    // Only the first of the periods that passed can have been vouched for.
    counts = decay(counts, zone.supplyRefreshed && i === 0);
  }
  const quiet = counts.supply < negligible && counts.demand < negligible && zone.multiplier <= zone.floor;
  return {
    ...zone,
    ...counts,
    averages,
    nextTickAtMs: zone.nextTickAtMs + periods * decayPeriodMs,
    periodStart: zone.multiplier,
    supplyRefreshed: false,
    demandTakenTenths: 0,
    quietTicks: quiet ? zone.quietTicks + periods : 0,
    override: zone.override !== null && zone.override.expiresAtMs <= nowMs ? null : zone.override,
  };
}

/** Whether the zone's own figures moved enough to decide before the next tick. */
export function wantsDecision(zone: ZoneState, nowMs: number): boolean {
  if (zone.observedAtMs === 0 || nowMs - zone.lastChangedAtMs < zone.cooldownMs) return false;
  if (zone.rated === null) return true;
  const supplied = zone.supply >= negligible;
  if (supplied !== zone.rated.supply >= negligible) return true;
  const moved = Math.abs(ownRatio(zone) - zone.rated.ratio);
  return moved > 0 && moved >= 0.1 * zone.rated.ratio;
}

/** Demand over supply without neighbours; without supply, demand itself stands in, as for one driver. */
export function ownRatio(zone: Pick<ZoneState, 'supply' | 'demand'>): number {
  return quantise(zone.demand / Math.max(zone.supply, zone.supply < negligible ? 1 : zone.supply));
}

/** A tick at which nothing of the zone's own decays, ages or can move needs no decision. */
export function isSteady(zone: ZoneState): boolean {
  return (
    zone.demand === 0 &&
    zone.multiplier === zone.floor &&
    zone.override === null &&
    zone.feed === 'healthy' &&
    zone.rated !== null &&
    zone.rated.ratio === 0
  );
}

/** Whether an operator's multiplier holds now. */
export function isOverridden(zone: ZoneState, nowMs: number): boolean {
  return zone.override !== null && nowMs < zone.override.expiresAtMs;
}

export function mayFallAsleep(zone: ZoneState): boolean {
  return zone.quietTicks >= quietTicksBeforeSleep && zone.override === null && zone.published;
}
