import * as wf from '@temporalio/workflow';
import type { Override } from '../domain/config.ts';
import type { Trigger } from '../domain/decision.ts';
import { mayFallAsleep, wantsDecision, type ZoneState } from '../domain/zone.ts';
import { mixedHash, zoneWorkflowId } from './ids.ts';
import { ZoneKeeper } from './zone-keeper.ts';
import {
  clearOverride,
  explain,
  observe,
  type OrderOutcome,
  recentDecisions,
  reprice,
  setOverride,
  state,
  type ZonePricingInput,
} from './zone-messages.ts';
import { refuseBadOverride, refuseWithoutReason } from './zone-orders.ts';
import { ZoneSigns } from './zone-signs.ts';

const historyLimit = 300;

/** An operator's order on its way through the loop. */
interface Job {
  readonly apply: (zone: ZoneState) => ZoneState;
  readonly trigger: Trigger;
  outcome: OrderOutcome | undefined;
}

/** Prices one zone × class for as long as anything happens there; sleeps (completes) when nothing does. */
export async function zonePricing(input: ZonePricingInput): Promise<void> {
  const { marketId, zoneId, vehicleClass } = input;
  const keeper = new ZoneKeeper(input);
  const signs = new ZoneSigns(input);
  const jobs: Job[] = [];
  // From the input and not from the workflow's id, which a history does not hold and a replay need not know.
  const offset = mixedHash(zoneWorkflowId(marketId, zoneId, vehicleClass)) % 60;
  let tickDue = false;

  // Handlers only note what they were told; the loop below alone acts on it.
  wf.setHandler(state, () => keeper.zone);
  wf.setHandler(explain, () => keeper.zone.lastDecision);
  wf.setHandler(recentDecisions, () => keeper.recent);
  wf.setHandler(observe, (seen) => keeper.note(seen));
  wf.setHandler(setOverride, (override) => carryOut((zone) => ({ ...zone, override }), 'override'), {
    validator: (override: Override) => refuseBadOverride(override, keeper.zone.cap, Date.now()),
  });
  wf.setHandler(clearOverride, () => carryOut((zone) => ({ ...zone, override: null }), 'override'), {
    validator: refuseWithoutReason,
  });
  wf.setHandler(reprice, () => carryOut((zone) => zone, 'config'), { validator: refuseWithoutReason });

  while (input.carry === undefined && !(await keeper.load())) {
    // An order must not wait for what may take hours, nor keep the zone from continuing as new.
    for (const job of jobs.splice(0))
      job.outcome = { version: 0, multiplier: 0, changed: false, heldBy: 'unavailable' };
    if (historyIsLong() && wf.allHandlersFinished()) {
      await wf.continueAsNew<typeof zonePricing>({ ...input, unread: keeper.unread });
    }
    // Without its last version a zone must not publish: it holds until the board or Postgres can say.
    await wf.sleep('5 seconds', { summary: 'the last price version cannot be read' });
  }
  armTick();
  signs.show(keeper.zone);

  for (;;) {
    if (mayMoveOn() && !tickIsDue()) {
      keeper.fold();
      const { zone, recent } = keeper;
      await wf.continueAsNew<typeof zonePricing>({ marketId, zoneId, vehicleClass, carry: { zone, recent } });
    }
    await wf.condition(() => tickDue || keeper.unread !== undefined || jobs.length > 0 || mayMoveOn());
    // A period ends before anything of the next one is looked at, however late its timer fires: decay and the gradual
    // limit are measured by periods, and what was seen after an outage is not decayed by it.
    const ticked = tickIsDue();
    if (ticked) keeper.beginPeriod();
    keeper.fold();
    if (ticked) {
      armTick();
      await keeper.tick();
    } else if (jobs[0] !== undefined) await settleJob(jobs[0]);
    else if (!wantsDecision(keeper.zone, Date.now())) continue;
    else if (!(await keeper.catchUp(null))) await keeper.decide('observation', null);
    signs.show(keeper.zone);
    if (mayFallAsleep(keeper.zone) && (await fellAsleep())) return;
  }

  function tickIsDue(): boolean {
    return tickDue || Date.now() >= keeper.zone.nextTickAtMs;
  }

  /** One timer for the whole period, however many observations arrive meanwhile. */
  function armTick(): void {
    tickDue = false;
    const { nextTickAtMs } = keeper.zone;
    const wait = Math.max(1, nextTickAtMs - Date.now());
    // A timer whose period ended before it fired has nothing left to say.
    void wf.sleep(wait, { summary: 'next tick' }).then(() => (tickDue ||= keeper.zone.nextTickAtMs === nextTickAtMs));
  }

  async function carryOut(apply: Job['apply'], trigger: Trigger): Promise<OrderOutcome> {
    const job: Job = { apply, trigger, outcome: undefined };
    jobs.push(job);
    await wf.condition(() => job.outcome !== undefined);
    if (job.outcome === undefined) throw wf.ApplicationFailure.nonRetryable('the zone ended', 'OrderLost');
    return job.outcome;
  }

  async function settleJob(job: Job): Promise<void> {
    keeper.zone = job.apply(keeper.zone);
    await keeper.catchUp(null);
    const settlement = await keeper.decide(job.trigger, null);
    const heldBy = settlement?.kind === 'held' ? settlement.by : settlement === undefined ? 'unavailable' : null;
    const { version, multiplier } = keeper.zone;
    job.outcome = { version, multiplier, changed: settlement?.kind === 'moved', heldBy };
    jobs.shift();
  }

  /** The last snapshot, and the end, unless somebody spoke to the zone meanwhile. */
  async function fellAsleep(): Promise<boolean> {
    await keeper.refresh(keeper.tickedAtMs, true);
    const quiet = keeper.unread === undefined && jobs.length === 0 && wf.allHandlersFinished();
    if (quiet && keeper.zone.published) return true;
    keeper.zone = { ...keeper.zone, quietTicks: 0 };
    return false;
  }

  /** A cache miss replays half a millisecond of CPU per event, so short histories are what makes restarts quick. */
  function historyIsLong(): boolean {
    const { historyLength, continueAsNewSuggested } = wf.workflowInfo();
    // Offset per zone, so that a city does not continue as new in step.
    return continueAsNewSuggested || historyLength >= historyLimit + offset;
  }

  function mayMoveOn(): boolean {
    return historyIsLong() && jobs.length === 0 && wf.allHandlersFinished();
  }
}
