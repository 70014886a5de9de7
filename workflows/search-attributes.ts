/** Registered when the services start; `Surging = true AND Market = "nyc"` lists the surging zones of a city. */
export const searchAttributes = {
  market: { name: 'Market', type: 'KEYWORD' },
  zoneId: { name: 'ZoneId', type: 'KEYWORD' },
  vehicleClass: { name: 'VehicleClass', type: 'KEYWORD' },
  surging: { name: 'Surging', type: 'BOOL' },
  surgeMultiplier: { name: 'SurgeMultiplier', type: 'DOUBLE' },
  zoneStatus: { name: 'ZoneStatus', type: 'KEYWORD' },
} as const;
