import { decayPeriodMs, priceTtlMs } from './config.ts';
import { decay } from './decay.ts';
import type { BoardEntry, Decision, Snapshot } from './decision.ts';
import { driftedPrice } from './drift.ts';
import { demandTrend } from './trend.ts';
import { fromHundredths, type Hundredths, quantise } from './units.ts';
import { isOverridden, type ZoneState } from './zone.ts';

/** What the board shows of this zone. */
export function boardEntry(zone: ZoneState, nowMs: number, asleep = false): BoardEntry {
  return {
    zoneId: zone.zoneId,
    vehicleClass: zone.vehicleClass,
    version: zone.version,
    multiplier: zone.multiplier,
    floor: zone.floor,
    maxChangePerPeriod: zone.maxChangePerPeriod,
    asOfMs: nowMs,
    decision: zone.lastDecision,
    counts: {
      supply: quantise(zone.supply),
      demand: quantise(zone.demand),
      supplyAsOfMs: zone.supplyAsOfMs,
      feed: zone.feed,
      trend: demandTrend(zone.averages),
      stable: nowMs - zone.lastChangedAtMs >= zone.stabilityWindowMs,
      asleep,
      epoch: zone.epoch,
      rev: zone.rev,
      demandTotal: zone.demandTotal,
      demandRefusedTenths: zone.demandRefusedTenths,
      confidence: zone.confidence,
    },
  };
}

export function snapshotOf(zone: ZoneState, atMs: number): Snapshot {
  return {
    zoneId: zone.zoneId,
    vehicleClass: zone.vehicleClass,
    atMs,
    supply: quantise(zone.supply),
    demand: quantise(zone.demand),
    multiplier: zone.multiplier,
    recommended: zone.recommended,
    version: zone.version,
  };
}

/** The zone after it made `decision`, as it is written to the board. */
export function decidedZone(zone: ZoneState, decision: Decision): ZoneState {
  const { version, multiplier, recommended, decidedAtMs } = decision;
  return { ...zone, version, multiplier, recommended, lastChangedAtMs: decidedAtMs, lastDecision: decision };
}

/** The zone once the board took its decision. */
export function publishedZone(zone: ZoneState, decision: Decision, asOfMs: number): ZoneState {
  return onBoard(decidedZone(zone, decision), asOfMs);
}

/** Takes what the board holds as this zone's own price, whoever wrote it. */
export function adopt(zone: ZoneState, { version, multiplier, decision, asOfMs }: BoardEntry): ZoneState {
  const lastChangedAtMs = decision?.decidedAtMs ?? zone.lastChangedAtMs;
  const periodBeganAtMs = zone.nextTickAtMs - decayPeriodMs;
  // The gradual limit is measured from the price of the period's start, which the other writer knew as its old one.
  const periodStart = lastChangedAtMs < periodBeganAtMs ? multiplier : (decision?.oldMultiplier ?? multiplier);
  return onBoard({ ...zone, version, multiplier, periodStart, lastChangedAtMs, lastDecision: decision }, asOfMs);
}

function onBoard(zone: ZoneState, asOfMs: number): ZoneState {
  const surging = fromHundredths(zone.multiplier) >= zone.surgeThreshold;
  return { ...zone, asOfMs, published: true, surging };
}

/** What a zone finds when it starts: the board's entry, and the highest version that Postgres knows of. */
export interface ZoneStart {
  readonly entry: BoardEntry | null;
  readonly recorded: { readonly version: number; readonly multiplier: Hundredths; readonly atMs: number } | null;
}

/** A zone that was priced before goes on from the highest version known anywhere, its counts decayed by the time away. */
export function wakeZone(fresh: ZoneState, { entry, recorded }: ZoneStart, nowMs: number): ZoneState {
  const woken = entry === null ? fresh : resumeEntry(fresh, entry, nowMs);
  if (recorded === null || recorded.version <= woken.version) return woken;
  return {
    ...woken,
    version: recorded.version,
    multiplier: recorded.multiplier,
    periodStart: recorded.multiplier,
    lastChangedAtMs: recorded.atMs,
    asOfMs: entry?.asOfMs ?? recorded.atMs,
    lastDecision: null,
  };
}

function resumeEntry(fresh: ZoneState, entry: BoardEntry, nowMs: number): ZoneState {
  const { counts } = entry;
  let { supply, demand } = counts;
  const periods = Math.min(1_000, Math.floor(Math.max(0, nowMs - entry.asOfMs) / decayPeriodMs));
  for (let i = 0; i < periods; i += 1) ({ supply, demand } = decay({ supply, demand }, false));
  return {
    ...adopt(fresh, entry),
    floor: entry.floor,
    maxChangePerPeriod: entry.maxChangePerPeriod,
    periodStart: entry.multiplier,
    supply,
    demand,
    epoch: counts.epoch,
    rev: counts.rev,
    demandTotal: counts.demandTotal,
    supplyAsOfMs: counts.supplyAsOfMs,
    feed: counts.feed,
  };
}

/** What readers of the board already charge after an outage; undefined while the price never went stale. */
export function outageDrift(zone: ZoneState, nowMs: number): Hundredths | undefined {
  // An override holds until it expires, and a decision publishes it again.
  if (nowMs - zone.asOfMs <= priceTtlMs || isOverridden(zone, nowMs)) return undefined;
  const drifted = driftedPrice(zone, nowMs);
  return drifted === zone.multiplier ? undefined : drifted;
}
