import { type MarketId, parseMarketId } from '../../domain/ids.ts';

/** The market of these tests; ids of its zones begin with `tt-`. */
export const marketId: MarketId = known(parseMarketId('tt'));

export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test value is missing');
  return value;
}

/** A closed ring around a place, `side` degrees wide. */
export function square(longitude: number, latitude: number, side: number): number[][] {
  const [west, east] = [longitude - side / 2, longitude + side / 2];
  const [south, north] = [latitude - side / 2, latitude + side / 2];
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

/** A FeatureCollection of geometries, or of rings, with their properties. */
export function collection(...features: readonly (readonly [unknown, object])[]): object {
  return {
    type: 'FeatureCollection',
    features: features.map(([shape, properties]) => ({
      type: 'Feature',
      properties,
      geometry: Array.isArray(shape) ? { type: 'Polygon', coordinates: [shape] } : shape,
    })),
  };
}
