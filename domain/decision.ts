import type { Feed } from './observation.ts';
import type { Hundredths } from './units.ts';
import type { PricingType } from './config.ts';
import type { VehicleClass, ZoneId } from './ids.ts';

/** One step of the pipeline. Each `after` is the next `before`; the last `after` is the published multiplier. */
export interface Factor {
  readonly rule: string;
  readonly before: number;
  readonly after: number;
  readonly detail: string;
}

export const triggers = [
  'observation',
  'tick',
  'override',
  'config',
  'emergency',
  'cap',
  'outage-drift',
  'recovered',
] as const;
export type Trigger = (typeof triggers)[number];

export type DemandTrend = 'increasing' | 'decreasing' | 'stable';

/** A published change of a zone's price, whole enough to be explained without the workflow that made it. */
export interface Decision {
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
  /** 1, 2, 3 … without gaps per zone × class. */
  readonly version: number;
  readonly oldMultiplier: Hundredths;
  readonly multiplier: Hundredths;
  /** What the pipeline recommends without override and manual mode. */
  readonly recommended: Hundredths;
  readonly trigger: Trigger;
  readonly supply: number;
  readonly demand: number;
  readonly smoothedSupply: number;
  readonly smoothedDemand: number;
  readonly smoothingFactor: number;
  readonly neighbours: number;
  readonly algorithm: PricingType;
  readonly confidence: number;
  readonly guard: 'feed-stale' | 'no-activity' | 'no-supply' | null;
  readonly factors: readonly Factor[];
  readonly exempt: readonly string[];
  readonly configVersion: number;
  readonly globalVersion: number;
  readonly runId: string;
  readonly decidedAtMs: number;
  /** When the observation behind this decision was read; the age of what reaches the board is measured from it. */
  readonly observedAtMs: number;
}

/** The state of a zone that is refreshed at every tick under the same price version. */
export interface BoardCounts {
  readonly supply: number;
  readonly demand: number;
  readonly supplyAsOfMs: number;
  readonly feed: Feed;
  readonly trend: DemandTrend;
  /** True while nothing changed for the stability window. */
  readonly stable: boolean;
  readonly asleep: boolean;
  /** Of the last folded observation and tick; what a waking zone needs to add differences rightly. */
  readonly epoch: number;
  readonly rev: number;
  readonly demandTotal: number;
  /** Demand beyond the most of a period, which a broken counter may report; never priced. */
  readonly demandRefusedTenths: number;
  readonly confidence: number;
}

/** What the price board holds per zone × class. `decision` is absent while a zone has never left its floor. */
export interface BoardEntry {
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
  /** 0 before the first published change. */
  readonly version: number;
  readonly multiplier: Hundredths;
  readonly floor: Hundredths;
  readonly maxChangePerPeriod: number;
  readonly asOfMs: number;
  readonly counts: BoardCounts;
  readonly decision: Decision | null;
}

/** One row per tick, also when nothing changed. */
export interface Snapshot {
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
  readonly atMs: number;
  readonly supply: number;
  readonly demand: number;
  readonly multiplier: Hundredths;
  readonly recommended: Hundredths;
  readonly version: number;
}
