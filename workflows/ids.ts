import type { MarketId, VehicleClass, ZoneId } from '../domain/ids.ts';

/** One workflow per zone × class: `zone:nyc:nyc-midtown-center:car`. */
export function zoneWorkflowId(market: MarketId, zoneId: ZoneId, vehicleClass: VehicleClass): string {
  return `zone:${market}:${zoneId}:${vehicleClass}`;
}

export const zoneWorkflowType = 'zonePricing';

/** A killed worker holds a zone no longer than this. */
export const zoneTaskTimeout = '5 seconds';

/** A well-mixed 32-bit hash: neighbouring ids spread over the whole range, so ticks of a city do too. */
export function mixedHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
