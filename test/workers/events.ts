import { randomUUID } from 'node:crypto';
import type { DemandEvent, LocationEvent } from '../../domain/events.ts';
import type { MarketId } from '../../domain/ids.ts';
import type { Place } from '../../geo/zone-index.ts';
import { zone } from '../db/live-fixtures.ts';

/** A fix of now in zone `aaa` of `stripes`. */
export function locationOf(driverId: string, changes: Partial<LocationEvent> = {}): LocationEvent {
  const nowMs = Date.now();
  return {
    kind: 'fix',
    eventId: randomUUID(),
    driverId,
    latitude: 40.5,
    longitude: -74,
    timestampMs: nowMs,
    receivedAtMs: nowMs,
    ...changes,
  };
}

/** A ride request of now in zone `aaa` of `stripes`. */
export function demandOf(rider: string, changes: Partial<DemandEvent> = {}): DemandEvent {
  const nowMs = Date.now();
  return {
    eventId: randomUUID(),
    kind: 'ride_request',
    rider,
    latitude: 40.5,
    longitude: -74,
    vehicleType: 'standard',
    timestampMs: nowMs,
    receivedAtMs: nowMs,
    ...changes,
  };
}

/** A market of two zones: `aaa` from 40° to 41° north, `bbb` from there to 42°, and nothing beyond. */
export function stripes(marketId: MarketId) {
  return {
    at(latitude: number): Place | undefined {
      if (latitude < 40 || latitude > 42) return undefined;
      const name = latitude < 41 ? 'aaa' : 'bbb';
      return { marketId, zoneId: zone(name), zoneName: name };
    },
  };
}
