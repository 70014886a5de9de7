import { gridDisk } from 'h3-js';
import type { Pool } from 'pg';
import { storeMarket } from '../../db/markets.ts';
import type { Point } from '../../domain/distance.ts';
import { defaultTariff } from '../../domain/fare.ts';
import { defaultAverageBaseFare } from '../../domain/guidance.ts';
import { type MarketId, parseMarketId, parseZoneId, type ZoneId, type ZoneKey, zoneKey } from '../../domain/ids.ts';
import { bareCell, cellCenter } from '../../geo/cells.ts';

export interface BenchZone {
  readonly zoneId: ZoneId;
  readonly key: ZoneKey;
  readonly center: Point;
}

const middle: Point = { latitude: 46.5, longitude: 2.5 };

/** A market of any number of zones: every place of it is priced by its bare cell, with 18 neighbours within 2 km. */
export const cellsMarket: MarketId = required(parseMarketId('bench'));

/** The cells around the middle, ring after ring: the first 100 of 5,000 are the 100 in the middle. */
export function cellZones(count: number): BenchZone[] {
  const rings = Math.ceil(Math.sqrt(count / 3)) + 1;
  return gridDisk(bareCell(middle), rings)
    .slice(0, count)
    .map((cell) => {
      const zoneId = required(parseZoneId(cell));
      return { zoneId, key: zoneKey(zoneId, 'car'), center: cellCenter(cell) };
    });
}

export async function storeCellsMarket(pool: Pool): Promise<void> {
  const [south, north, west, east] = [45.5, 47.5, 1, 4];
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  await storeMarket(pool, {
    marketId: cellsMarket,
    name: 'Bench',
    timeZone: 'Europe/Paris',
    currency: 'EUR',
    tariff: { ...defaultTariff, currency: 'EUR' },
    speedByHour: null,
    averageBaseFare: defaultAverageBaseFare,
    boundary: { type: 'Polygon', coordinates: [ring] },
  });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an id of the bench does not parse');
  return value;
}
