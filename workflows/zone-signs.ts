import * as wf from '@temporalio/workflow';
import { shownCount } from '../domain/counts.ts';
import { fromHundredths } from '../domain/units.ts';
import type { ZoneState } from '../domain/zone.ts';
import { searchAttributes } from './search-attributes.ts';
import type { ZonePricingInput } from './zone-messages.ts';

/**
 * What people see of a zone in the Temporal UI. Details are free and always current; an upsert of search attributes
 * costs the server 40 % of a decision, so they move on crossing the surge threshold, and else only at ticks.
 */
export class ZoneSigns {
  readonly #input: ZonePricingInput;
  #surging: boolean | undefined;
  #multiplier: number | undefined;
  #status: string | undefined;
  #tick: number | undefined;

  constructor(input: ZonePricingInput) {
    this.#input = input;
  }

  show(zone: ZoneState): void {
    wf.setCurrentDetails(details(zone));
    const first = this.#surging === undefined;
    const moved = zone.multiplier !== this.#multiplier || statusOf(zone) !== this.#status;
    const atTick = zone.nextTickAtMs !== this.#tick;
    this.#tick = zone.nextTickAtMs;
    if (zone.surging === this.#surging && !(atTick && moved)) return;
    this.#surging = zone.surging;
    this.#multiplier = zone.multiplier;
    this.#status = statusOf(zone);
    wf.upsertSearchAttributes([
      ...(first ? this.#identity() : []),
      { key: searchAttributes.surging, value: zone.surging },
      { key: searchAttributes.surgeMultiplier, value: fromHundredths(zone.multiplier) },
      { key: searchAttributes.zoneStatus, value: this.#status },
    ]);
  }

  #identity() {
    const { marketId, zoneId, vehicleClass } = this.#input;
    return [
      { key: searchAttributes.market, value: marketId },
      { key: searchAttributes.zoneId, value: zoneId },
      { key: searchAttributes.vehicleClass, value: vehicleClass },
    ];
  }
}

function statusOf(zone: ZoneState): string {
  if (!zone.published) return 'unpublished';
  if (zone.override !== null) return 'override';
  if (zone.feed === 'unknown') return 'feed-unknown';
  return zone.surging ? 'surging' : 'calm';
}

/** Markdown for the workflow's page. */
function details(zone: ZoneState): string {
  const why = zone.lastDecision?.factors.map(({ rule, after, detail }) => `- ${rule} → ${after}: ${detail}`) ?? [];
  return [
    `## ${fromHundredths(zone.multiplier).toFixed(2)} (version ${zone.version}, ${statusOf(zone)})`,
    `supply ${shownCount(zone.supply)}, demand ${shownCount(zone.demand)}, driver feed ${zone.feed}`,
    zone.override === null ? 'no override' : `override by ${zone.override.author}: ${zone.override.reason}`,
    ...(why.length > 0 ? ['', '### Why', ...why] : []),
  ].join('\n');
}
