import { cellToChildren } from 'h3-js';
import { describe, expect, it } from 'vitest';
import { haversineKm } from '../../domain/distance.ts';
import { defaultTariff } from '../../domain/fare.ts';
import type { MarketGeography } from '../../domain/geography.ts';
import { parseZoneId } from '../../domain/ids.ts';
import { bareCell, cellCenter, zoneCell, zoneResolution } from '../../geo/cells.ts';
import { importZones } from '../../geo/zone-import.ts';
import { ZoneIndex } from '../../geo/zone-index.ts';
import { collection, known, marketId, square } from './shapes.ts';

/** Two zones of about 1.1 × 0.8 km beside each other, in a market of about 22 × 17 km. */
function market(): MarketGeography {
  const features = collection(
    [square(-74, 40.7, 0.01), { zone: 'West' }],
    [square(-73.99, 40.7, 0.01), { zone: 'East' }],
  );
  const { zones, boundary } = importZones(features, {
    marketId,
    boundary: { type: 'Polygon', coordinates: [square(-74, 40.7, 0.2)] },
  });
  return {
    marketId,
    name: 'Test',
    timeZone: 'America/New_York',
    currency: 'USD',
    tariff: defaultTariff,
    speedByHour: null,
    averageBaseFare: 14.44,
    boundary,
    zones,
  };
}

const index = new ZoneIndex([market()]);
const west = known(parseZoneId('tt-west'));

describe('a place', () => {
  it('in a polygon is priced as that zone', () => {
    expect(index.at(40.7, -74)).toEqual({ marketId, zoneId: 'tt-west', zoneName: 'West' });
    expect(index.at(40.7, -73.99)).toMatchObject({ zoneId: 'tt-east' });
  });

  it('in no polygon but inside the market is priced by its cell', () => {
    const place = index.at(40.75, -74.05);
    expect(place).toMatchObject({ marketId, zoneId: bareCell({ latitude: 40.75, longitude: -74.05 }) });
    expect(index.zone(known(place).zoneId)).toEqual(place);
  });

  it.each([
    ['outside the market', 40.7, -73.8],
    ['on another continent', -33.9, 151.2],
    ['at a pole', 90, 0],
  ])('%s has no price', (_name, latitude, longitude) => {
    expect(index.at(latitude, longitude)).toBeUndefined();
  });

  it('that is priced by a cell is found again by that cell, up to the edge of the market', () => {
    const lost: unknown[] = [];
    for (let step = 0; step < 4_000; step += 1) {
      const latitude = 40.6 + (0.2 * (step % 63)) / 62;
      const longitude = -74.1 + (0.2 * Math.floor(step / 63)) / 63;
      const place = index.at(latitude, longitude);
      if (place !== undefined && index.zone(place.zoneId) === undefined) lost.push({ latitude, longitude });
    }
    expect(lost).toEqual([]);
  });
});

describe('a bare cell', () => {
  it('is a zone even where the market is smaller than any cell', () => {
    const speck = { type: 'Polygon' as const, coordinates: [square(-74.0507, 40.7511, 0.0001)] };
    const tiny = new ZoneIndex([{ ...market(), boundary: speck, zones: [] }]);
    const place = tiny.at(40.7511, -74.0507);
    expect(tiny.zone(known(place).zoneId)).toEqual(place);
  });

  it('whose children are all named is still a zone at its fringe, which they do not cover', () => {
    const whole = market();
    const cell = bareCell({ latitude: 40.75, longitude: -74.05 });
    const children = cellToChildren(cell, zoneResolution);
    const zones = whole.zones.slice(0, 1).map((zone) => ({ ...zone, cells: children }));
    const covered = new ZoneIndex([{ ...whole, zones }]);
    const around = Array.from({ length: 2_500 }, (_, step) => ({
      latitude: 40.75 + 0.0004 * ((step % 50) - 25),
      longitude: -74.05 + 0.0005 * (Math.floor(step / 50) - 25),
    }));
    const fringe = around.filter((point) => bareCell(point) === cell && !children.includes(zoneCell(point)));
    expect(fringe.length).toBeGreaterThan(10);
    const found = fringe.map(({ latitude, longitude }) => known(covered.at(latitude, longitude)).zoneId);
    expect(new Set(found)).toEqual(new Set([cell]));
    expect(covered.zone(known(found[0]))).toMatchObject({ zoneId: cell });
  });
});

describe('the neighbours of a zone', () => {
  const neighbours = index.neighbours(marketId, west);

  it('are named zones and bare cells within 2 km, nearest first, without itself', () => {
    const distances = neighbours.map(({ distanceKm }) => distanceKm);
    expect(neighbours.map(({ zoneId }) => zoneId)).toContain('tt-east');
    expect(neighbours.filter(({ zoneId }) => zoneId.startsWith('88')).length).toBeGreaterThan(5);
    expect(neighbours.map(({ zoneId }) => zoneId)).not.toContain('tt-west');
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect(Math.max(...distances)).toBeLessThanOrEqual(2);
  });

  it('are measured between centres', () => {
    const from = known(index.center(west));
    for (const { zoneId, distanceKm } of neighbours) {
      expect(distanceKm).toBeCloseTo(haversineKm(from, known(index.center(zoneId))), 9);
    }
  });

  it('have it as their neighbour', () => {
    for (const { zoneId } of neighbours) {
      expect(index.neighbours(marketId, zoneId).map((other) => other.zoneId)).toContain('tt-west');
    }
  });

  it('are complete: every place within reach is priced by one of them', () => {
    const { latitude, longitude } = known(index.center(west));
    const ids = new Set(neighbours.map(({ zoneId }) => zoneId));
    for (let step = -20; step <= 20; step += 1) {
      const place = known(index.at(latitude + step / 2_000, longitude - step / 3_000));
      const distance = haversineKm({ latitude, longitude }, known(index.center(place.zoneId)));
      if (distance <= 2 && place.zoneId !== 'tt-west') expect(ids).toContain(place.zoneId);
    }
  });

  it('leave out cells beyond the edge of the market', () => {
    const corner = known(index.at(40.799, -74.099));
    const outside = index
      .neighbours(marketId, corner.zoneId)
      .map(({ zoneId }) => cellCenter(zoneId))
      .filter((center) => center.latitude > 40.81 || center.longitude < -74.115);
    expect(outside).toEqual([]);
  });

  it('are none for an unknown zone', () => {
    expect(index.neighbours(marketId, known(parseZoneId('tt-atlantis')))).toEqual([]);
  });
});
