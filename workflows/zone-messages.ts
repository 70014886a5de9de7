import * as wf from '@temporalio/workflow';
import type { Override } from '../domain/config.ts';
import type { Decision } from '../domain/decision.ts';
import type { MarketId, VehicleClass, ZoneId } from '../domain/ids.ts';
import type { Observation } from '../domain/observation.ts';
import type { ZoneState } from '../domain/zone.ts';

export interface ZonePricingInput {
  readonly marketId: MarketId;
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
  /** Absent when a zone starts or wakes; then it reads where it left off. */
  readonly carry?: ZoneCarry | undefined;
  /** An observation that arrived before the zone could read where it left off. */
  readonly unread?: Observation | undefined;
}

/** What travels through continue-as-new. */
export interface ZoneCarry {
  readonly zone: ZoneState;
  readonly recent: readonly RecentDecision[];
}

/** A decision without its factors, for a glance at the last few. */
export type RecentDecision = Pick<Decision, 'version' | 'oldMultiplier' | 'multiplier' | 'trigger' | 'decidedAtMs'>;

/** The answer to an operator: the price in force after the order was carried out. */
export interface OrderOutcome {
  readonly version: number;
  readonly multiplier: number;
  readonly changed: boolean;
  readonly heldBy: string | null;
}

/** A fact: what ingestion sees. */
export const observe = wf.defineSignal<[Observation]>('observe');

/** Orders of operators: validated, answered after the price was published or left as it is. */
export const setOverride = wf.defineUpdate<OrderOutcome, [Override]>('setOverride');
export const clearOverride = wf.defineUpdate<OrderOutcome, [{ reason: string; author: string }]>('clearOverride');
export const reprice = wf.defineUpdate<OrderOutcome, [{ reason: string; author: string }]>('reprice');

/** Views. */
export const state = wf.defineQuery<ZoneState>('state');
export const explain = wf.defineQuery<Decision | null>('explain');
export const recentDecisions = wf.defineQuery<readonly RecentDecision[]>('recentDecisions');
