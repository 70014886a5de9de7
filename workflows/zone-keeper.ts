import * as wf from '@temporalio/workflow';
import type { PricingActivities } from '../activities/pricing.ts';
import { decayPeriodMs } from '../domain/config.ts';
import type { Decision, Trigger } from '../domain/decision.ts';
import type { Observation } from '../domain/observation.ts';
import { settle, type Settlement } from '../domain/settle.ts';
import { foldObservation, isNewer, isSteady, newZone, tickZone, type ZoneState } from '../domain/zone.ts';
import {
  adopt,
  boardEntry,
  decidedZone,
  outageDrift,
  snapshotOf,
  wakeZone,
  publishedZone,
} from '../domain/zone-board.ts';
import { decisionOf, driftDecision, limitsOf, noteRating, recoveredDecision } from '../domain/zone-decision.ts';
import { mixedHash, zoneWorkflowId } from './ids.ts';
import type { RecentDecision, ZonePricingInput } from './zone-messages.ts';

const { loadZone, rateZone } = wf.proxyLocalActivities<PricingActivities>({
  scheduleToCloseTimeout: '5 seconds',
  retry: { maximumAttempts: 2, initialInterval: '100 milliseconds' },
});

/**
 * A short burst only: while Redis is away every further attempt belongs to a tick, so that an outage of hours costs a
 * zone no more history than ordinary hours do, and it can still continue as new.
 */
const { publishPrice, refreshBoard } = wf.proxyLocalActivities<PricingActivities>({
  scheduleToCloseTimeout: '5 seconds',
  retry: { maximumAttempts: 3, initialInterval: '100 milliseconds' },
});

const recentKept = 10;

/** Keeps one zone's state and its place on the board in step. Every step that talks to the outside is awaited alone. */
export class ZoneKeeper {
  zone: ZoneState;
  recent: readonly RecentDecision[];
  /** The newest observation that was not folded yet. */
  unread: Observation | undefined;
  readonly #input: ZonePricingInput;
  readonly #hash: number;
  readonly #runId = wf.workflowInfo().runId;
  /** The tick whose snapshot the board has. */
  #snapshotAtMs = 0;

  constructor(input: ZonePricingInput) {
    const { marketId, zoneId, vehicleClass, carry } = input;
    this.#hash = mixedHash(zoneWorkflowId(marketId, zoneId, vehicleClass));
    this.#input = input;
    this.zone = carry?.zone ?? newZone(zoneId, vehicleClass, Date.now(), nextTickAt(this.#hash, Date.now()));
    this.recent = carry?.recent ?? [];
    this.unread = input.unread;
  }

  /** Notes what arrived; the newest replaces the others, as observations are absolute. */
  note(seen: Observation): void {
    if (this.unread === undefined || isNewer(seen, this.unread)) this.unread = seen;
  }

  fold(): void {
    if (this.unread !== undefined) this.zone = foldObservation(this.zone, this.unread);
    this.unread = undefined;
  }

  /** Reads where the zone left off; false while neither the board nor Postgres can say. */
  async load(): Promise<boolean> {
    const { marketId, zoneId, vehicleClass } = this.#input;
    const start = await loadZone({ marketId, zoneId, vehicleClass }).catch(unlessCancelled);
    if (start === undefined) return false;
    const nowMs = Date.now();
    // Waiting for this answer may have taken longer than a period, and waking has decayed the counts up to now.
    this.zone = { ...wakeZone(this.zone, start, nowMs), nextTickAtMs: nextTickAt(this.#hash, nowMs) };
    return true;
  }

  /** What follows the end of a decay period: a decision unless nothing can have changed, a fresh board, a snapshot. */
  async tick(): Promise<void> {
    const atMs = this.tickedAtMs;
    const steady = isSteady(this.zone);
    if (!(await this.catchUp(atMs)) && !steady) await this.decide('tick', atMs);
    if (this.#snapshotAtMs === atMs) return;
    const stirred = await this.refresh(atMs);
    if (steady && stirred) await this.decide('tick', null);
  }

  /** Starts the next period; the caller arms the timer before it awaits the tick itself. */
  beginPeriod(): void {
    this.zone = tickZone(this.zone, Date.now());
  }

  get tickedAtMs(): number {
    return this.zone.nextTickAtMs - decayPeriodMs;
  }

  /** After an outage the price readers already charge becomes the zone's own; true when there was one. */
  async catchUp(snapshotAtMs: number | null): Promise<boolean> {
    const drifted = outageDrift(this.zone, Date.now());
    if (drifted === undefined) return false;
    const decision = driftDecision(this.zone, drifted, this.#runId, Date.now());
    if (await this.publish(decision, snapshotAtMs)) this.zone = { ...this.zone, periodStart: this.zone.multiplier };
    return true;
  }

  /** Rates, settles, publishes. Undefined when that could not be done now: the price holds until the next tick. */
  async decide(trigger: Trigger, snapshotAtMs: number | null): Promise<Settlement | undefined> {
    const { marketId, zoneId, vehicleClass } = this.#input;
    const { supply, demand, feed, supplyAsOfMs, adaptiveFactor, multiplier: last } = this.zone;
    const counts = { supply, demand, feed, supplyAsOfMs, adaptiveFactor };
    const nowMs = Date.now();
    const rated = await rateZone({ marketId, zoneId, vehicleClass, ...counts, last, nowMs }).catch(unlessCancelled);
    if (rated === undefined) return undefined;
    const { periodStart, lastChangedAtMs } = this.zone;
    const limits = limitsOf(rated, this.zone);
    const settlement = settle(rated.rating.rated, { last, periodStart, lastChangedAtMs }, limits, nowMs);
    this.zone = noteRating(this.zone, rated, settlement);
    if (settlement.kind === 'held') return settlement;
    const decision = decisionOf(this.zone, rated, settlement, { trigger, runId: this.#runId, nowMs });
    return (await this.publish(decision, snapshotAtMs)) ? settlement : undefined;
  }

  /** The first writer of a version wins, and what the board holds is what this zone believes from then on. */
  async publish(decision: Decision, snapshotAtMs: number | null): Promise<boolean> {
    const next = decidedZone(this.zone, decision);
    const snapshot = snapshotAtMs === null ? null : snapshotOf(next, snapshotAtMs);
    const entry = { ...boardEntry(next, Date.now()), decision };
    const answer = await publishPrice(this.#input.marketId, entry, snapshot).catch(unlessCancelled);
    if (answer === undefined) {
      this.zone = { ...this.zone, published: false };
      return false;
    }
    if (answer.won) {
      this.zone = publishedZone(this.zone, decision, entry.asOfMs);
      this.#snapshotAtMs = snapshotAtMs ?? this.#snapshotAtMs;
    } else this.zone = adopt(this.zone, answer.entry);
    this.recent = [...this.recent, glance(answer.entry.decision ?? decision)].slice(-recentKept);
    return true;
  }

  /** Counts, `asOf` and a snapshot under the same version; true when something around a steady zone has changed. */
  async refresh(atMs: number, asleep = false): Promise<boolean> {
    const { marketId } = this.#input;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const entry = boardEntry(this.zone, Date.now(), asleep);
      const { configVersion, globalVersion } = this.zone;
      const rated = { configVersion, globalVersion };
      const answer = await refreshBoard(marketId, entry, snapshotOf(this.zone, atMs), rated).catch(unlessCancelled);
      if (answer === undefined) this.zone = { ...this.zone, published: false };
      if (answer?.kind === 'refreshed') {
        this.zone = { ...this.zone, asOfMs: entry.asOfMs, published: true };
        this.#snapshotAtMs = atMs;
        return answer.stirred;
      }
      if (answer?.kind === 'lost') await this.#restore(atMs);
      if (answer?.kind !== 'ahead') return false;
      this.zone = adopt(this.zone, answer.entry);
    }
    return false;
  }

  /** A board that lost this version, in a flush for instance, gets the same decision again; else one that says why. */
  async #restore(snapshotAtMs: number): Promise<void> {
    const decision = this.zone.lastDecision ?? recoveredDecision(this.zone, this.#runId, Date.now());
    await this.publish(decision, snapshotAtMs);
  }
}

/** Ticks of different zones fall into different moments of the period. */
function nextTickAt(hash: number, nowMs: number): number {
  const offset = hash % decayPeriodMs;
  return Math.floor((nowMs - offset) / decayPeriodMs + 1) * decayPeriodMs + offset;
}

/** No activity may fail the zone: what could not be done now is tried again at the next tick. */
function unlessCancelled(error: unknown): undefined {
  if (wf.isCancellation(error)) throw error;
  return undefined;
}

function glance({ version, oldMultiplier, multiplier, trigger, decidedAtMs }: Decision): RecentDecision {
  return { version, oldMultiplier, multiplier, trigger, decidedAtMs };
}
