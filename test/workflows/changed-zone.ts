import * as wf from '@temporalio/workflow';
import { zonePricing as released } from '../../workflows/zone-pricing.ts';
import type { ZonePricingInput } from '../../workflows/zone-messages.ts';

/** A careless change: one more timer before everything else, without `patched`. */
export async function zonePricing(input: ZonePricingInput): Promise<void> {
  await wf.sleep('1 second');
  await released(input);
}
