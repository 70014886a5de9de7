import type { Client } from '@temporalio/client';
import type { MarketId, VehicleClass, ZoneId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { zoneTaskTimeout, zoneWorkflowId, zoneWorkflowType } from '../../workflows/ids.ts';
import { observe, type ZonePricingInput } from '../../workflows/zone-messages.ts';

export interface ZoneAddress {
  readonly marketId: MarketId;
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
}

/** Signals a zone, and starts or wakes its workflow where none runs. */
export async function signalZone(
  client: Client,
  zone: ZoneAddress,
  observation: Observation,
  taskQueue: string,
): Promise<void> {
  const input: ZonePricingInput = zone;
  await client.workflow.signalWithStart(zoneWorkflowType, {
    workflowId: zoneWorkflowId(zone.marketId, zone.zoneId, zone.vehicleClass),
    taskQueue,
    args: [input],
    signal: observe,
    signalArgs: [observation],
    workflowTaskTimeout: zoneTaskTimeout,
    staticSummary: `${zone.vehicleClass} in ${zone.zoneId}`,
  });
}
