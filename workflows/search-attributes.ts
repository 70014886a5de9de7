import { defineSearchAttributeKey } from '@temporalio/common';

/** Registered when the services start; `Surging = true AND Market = "nyc"` lists the surging zones of a city. */
export const searchAttributes = {
  market: defineSearchAttributeKey('Market', 'KEYWORD'),
  zoneId: defineSearchAttributeKey('ZoneId', 'KEYWORD'),
  vehicleClass: defineSearchAttributeKey('VehicleClass', 'KEYWORD'),
  surging: defineSearchAttributeKey('Surging', 'BOOL'),
  surgeMultiplier: defineSearchAttributeKey('SurgeMultiplier', 'DOUBLE'),
  zoneStatus: defineSearchAttributeKey('ZoneStatus', 'KEYWORD'),
};
