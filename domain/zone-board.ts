import { decayPeriodMs, priceTtlMs } from './config.ts';
import { decay } from './decay.ts';
import type { BoardEntry, Decision, Snapshot } from './decision.ts';
import { driftedPrice } from './drift.ts';
import { demandTrend } from './trend.ts';
import { fromHundredths, type Hundredths, quantise } from './units.ts';
import type { ZoneState } from './zone.ts';

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

/** Takes what the board holds as this zone's own price, whoever wrote it. */
export function adopt(zone: ZoneState, entry: BoardEntry, nowMs: number): ZoneState {
  return {
    ...zone,
    version: entry.version,
    multiplier: entry.multiplier,
    lastChangedAtMs: entry.decision?.decidedAtMs ?? zone.lastChangedAtMs,
    lastDecision: entry.decision,
    asOfMs: nowMs,
    published: true,
    surging: fromHundredths(entry.multiplier) >= zone.surgeThreshold,
  };
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
    ...adopt(fresh, entry, entry.asOfMs),
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
  if (nowMs - zone.asOfMs <= priceTtlMs) return undefined;
  const drifted = driftedPrice(zone, nowMs);
  return drifted === zone.multiplier ? undefined : drifted;
}
