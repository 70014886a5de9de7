import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMarketId } from '../../domain/ids.ts';
import { cellCenter, zoneCell } from '../../geo/cells.ts';
import { containment } from '../../geo/polygon.ts';
import { importZones } from '../../geo/zone-import.ts';
import { collection, marketId, square } from './shapes.ts';

const newYork = importZones(
  JSON.parse(readFileSync(new URL('../../data/nyc-taxi-zones.geojson', import.meta.url), 'utf8')),
  { marketId: parseMarketId('nyc') ?? marketId },
);

describe('the zones of New York', () => {
  it('are 260, each with an id of its own and a borough', () => {
    expect(new Set(newYork.zones.map(({ zoneId }) => zoneId)).size).toBe(260);
    expect(newYork.zones.filter(({ zoneGroup }) => zoneGroup === null)).toEqual([]);
    expect(newYork.zones.map(({ zoneId }) => zoneId)).toContain('nyc-midtown-center');
    expect(newYork.rejected).toEqual([]);
  });

  it('share no cell', () => {
    const cells = newYork.zones.flatMap((zone) => zone.cells);
    expect(cells.length).toBeGreaterThan(7_000);
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('own the cells whose centres they hold, and that of their centroid', () => {
    const wrong = newYork.zones.flatMap(({ zoneId, center, cells, boundary }) => {
      if (boundary === null) return [zoneId];
      const inside = containment(boundary);
      const own = zoneCell(center);
      const strays = cells.filter((cell) => cell !== own && !inside(cellCenter(cell)));
      return cells.includes(own) && strays.length === 0 ? [] : [zoneId];
    });
    expect(wrong).toEqual([]);
  });

  it('lie inside the boundary of the market', () => {
    const inside = containment(newYork.boundary);
    expect(newYork.zones.filter(({ center }) => !inside(center))).toEqual([]);
  });
});

describe('a cell', () => {
  const overlapping = collection(
    [square(-74, 40.7, 0.04), { zone: 'Beta', location_id: 2 }],
    [square(-73.98, 40.7, 0.04), { zone: 'Alpha', location_id: 1 }],
  );

  it('that two polygons claim goes to the lower zone id and is reported', () => {
    const { zones, conflicts } = importZones(overlapping, { marketId });
    const shared = conflicts.filter(({ by }) => by === 'polygon');
    expect(shared.length).toBeGreaterThan(20);
    expect(new Set(shared.map(({ winner }) => winner))).toEqual(new Set(['tt-alpha']));
    const beta = zones.find(({ zoneId }) => zoneId === 'tt-beta');
    expect(shared.filter(({ cell }) => beta?.cells.includes(cell))).toEqual([]);
  });

  it('belongs to the zone whose centroid it holds, whatever polygon covers it', () => {
    const inner = square(-73.99, 40.71, 0.0001);
    const { zones, conflicts, slivers } = importZones(
      collection([square(-74, 40.7, 0.04), { zone: 'Around' }], [inner, { zone: 'Kiosk' }]),
      { marketId },
    );
    const kiosk = zones.find(({ zoneId }) => zoneId === 'tt-kiosk');
    expect(kiosk?.cells).toEqual([kiosk?.centerCell]);
    expect(slivers).toEqual([{ zoneId: 'tt-kiosk', cells: 1 }]);
    expect(conflicts).toEqual([{ cell: kiosk?.centerCell, winner: 'tt-kiosk', losers: ['tt-around'], by: 'centroid' }]);
  });

  it('with the centroids of two zones goes to the lower id, and the other may be left with none', () => {
    const { slivers, conflicts } = importZones(
      collection([square(-74, 40.7, 0.0001), { zone: 'Stall' }], [square(-74, 40.7, 0.0002), { zone: 'Booth' }]),
      { marketId },
    );
    expect(slivers).toContainEqual({ zoneId: 'tt-stall', cells: 0 });
    expect(conflicts).toMatchObject([{ winner: 'tt-booth', losers: ['tt-stall'], by: 'centroid' }]);
  });

  it('in a hole belongs to nobody', () => {
    const hole = square(-74.01, 40.7, 0.01).toReversed();
    const ring = { type: 'Polygon', coordinates: [square(-74, 40.7, 0.04), hole] };
    const { zones } = importZones(collection([ring, { zone: 'Ring' }]), { marketId });
    expect(zones[0]?.cells).toContain(zoneCell({ latitude: 40.715, longitude: -74 }));
    expect(zones[0]?.cells).not.toContain(zoneCell({ latitude: 40.7, longitude: -74.01 }));
    // A sixteenth is missing a hundredth of a degree west of the middle.
    expect(zones[0]?.center.latitude).toBeCloseTo(40.7, 9);
    expect(zones[0]?.center.longitude).toBeCloseTo(-74 + 0.01 / 15, 9);
  });
});

describe('an area', () => {
  it('of several polygons is one zone', () => {
    const parts = { type: 'MultiPolygon', coordinates: [[square(-74, 40.7, 0.02)], [square(-73.9, 40.7, 0.02)]] };
    const { zones } = importZones(collection([parts, { zone: 'Two Islands' }]), { marketId });
    expect(zones[0]?.cells).toContain(zoneCell({ latitude: 40.7, longitude: -74 }));
    expect(zones[0]?.cells).toContain(zoneCell({ latitude: 40.7, longitude: -73.9 }));
    expect(zones[0]?.center.longitude).toBeCloseTo(-73.95, 6);
  });

  it('across the antimeridian stays small, with its centre in it', () => {
    const ring = [
      [179.97, -17],
      [-179.97, -17],
      [-179.97, -16.96],
      [179.97, -16.96],
      [179.97, -17],
    ];
    const fiji = collection([{ type: 'Polygon', coordinates: [ring] }, { zone: 'Taveuni' }]);
    const { zones, boundary } = importZones(fiji, { marketId });
    const zone = zones[0];
    expect(zone?.cells.length).toBeGreaterThan(150);
    expect(zone?.cells.length).toBeLessThan(500);
    expect(zone?.cells).toContain(zoneCell({ latitude: -16.98, longitude: 179.98 }));
    expect(zone?.cells).toContain(zoneCell({ latitude: -16.98, longitude: -179.98 }));
    expect(Math.abs(zone?.center.longitude ?? 0)).toBeCloseTo(180, 6);
    expect(containment(boundary)({ latitude: -16.98, longitude: -179.99 })).toBe(true);
    expect(containment(boundary)({ latitude: -16.98, longitude: 0 })).toBe(false);
  });
});

describe('names', () => {
  it('that come out alike get the number of the zone, in any order', () => {
    const here = square(-74, 40.7, 0.02);
    const there = square(-73.9, 40.7, 0.02);
    const { zones } = importZones(
      collection([here, { zone: 'Café Row', location_id: 7 }], [there, { zone: "Cafe's-Row!", location_id: 9 }]),
      { marketId },
    );
    expect(zones.map(({ zoneId }) => zoneId)).toEqual(['tt-cafe-row', 'tt-cafes-row']);
    const twins = importZones(
      collection([here, { zone: 'Corona', location_id: 56 }], [there, { zone: 'corona', location_id: 57 }]),
      { marketId },
    );
    expect(twins.zones.map(({ zoneId }) => zoneId)).toEqual(['tt-corona-56', 'tt-corona-57']);
  });

  it('without a letter or digit give an id from the number', () => {
    const { zones } = importZones(collection([square(-74, 40.7, 0.02), { zone: '中央区', location_id: 12 }]), {
      marketId,
    });
    expect(zones[0]).toMatchObject({ zoneId: 'tt-12', zoneName: '中央区' });
  });
});

describe('a document', () => {
  it.each([
    ['a point', { type: 'Point', coordinates: [-74, 40.7] }, /not an area/],
    ['an open ring', { type: 'Polygon', coordinates: [square(-74, 40.7, 0.02).slice(0, 4)] }, /open/],
    ['a place off the globe', { type: 'Polygon', coordinates: [square(-74, 95, 0.02)] }, /outside the globe/],
    ['a continent', { type: 'Polygon', coordinates: [square(10, 20, 20)] }, /larger than/],
    ['nothing', null, /no geometry/],
  ])('with %s among its features says why that is no zone', (_name, geometry, reason) => {
    const { zones, rejected } = importZones(
      collection([geometry, { zone: 'Broken' }], [square(-74, 40.7, 0.02), { zone: 'Whole' }]),
      { marketId },
    );
    expect(zones.map(({ zoneId }) => zoneId)).toEqual(['tt-whole']);
    expect(rejected).toEqual([{ index: 0, reason: expect.stringMatching(reason) }]);
  });

  it.each([[null], [[]], [{ type: 'Feature' }], [{ type: 'FeatureCollection', features: {} }]])(
    'like %j is refused',
    (document) => {
      expect(() => importZones(document, { marketId })).toThrow(TypeError);
    },
  );

  it('without any zone is refused', () => {
    expect(() => importZones(collection(), { marketId })).toThrow(RangeError);
  });
});
