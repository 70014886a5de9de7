import type { Boundary } from '../domain/geography.ts';

/** A polygon of a GeoJSON file with its properties. */
export interface AreaFeature {
  /** Place in the file, from 0. */
  readonly index: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly boundary: Boundary;
}

export interface RejectedFeature {
  readonly index: number;
  readonly reason: string;
}

/** The areas of a FeatureCollection, and why others are none. Throws TypeError for anything but a FeatureCollection. */
export function readAreas(geojson: unknown): { areas: AreaFeature[]; rejected: RejectedFeature[] } {
  if (!isRecord(geojson) || geojson['type'] !== 'FeatureCollection' || !Array.isArray(geojson['features'])) {
    throw new TypeError('not a GeoJSON FeatureCollection');
  }
  const areas: AreaFeature[] = [];
  const rejected: RejectedFeature[] = [];
  geojson['features'].forEach((feature: unknown, index) => {
    const boundary = isRecord(feature) ? readBoundary(feature['geometry']) : 'not an object';
    if (typeof boundary === 'string') rejected.push({ index, reason: boundary });
    else areas.push({ index, properties: propertiesOf(feature), boundary });
  });
  return { areas, rejected };
}

/** A GeoJSON Polygon or MultiPolygon, or in words what is wrong with it. */
export function readBoundary(geometry: unknown): Boundary | string {
  if (!isRecord(geometry)) return 'no geometry';
  const { type, coordinates } = geometry;
  if (type === 'Polygon') {
    return isPolygon(coordinates) ? { type, coordinates } : 'a ring is open, too short or outside the globe';
  }
  if (type === 'MultiPolygon') {
    const polygons = Array.isArray(coordinates) && coordinates.length > 0 && coordinates.every(isPolygon);
    return polygons ? { type, coordinates } : 'a ring is open, too short or outside the globe';
  }
  return `a geometry of type ${String(type)} is not an area`;
}

function propertiesOf(feature: unknown): Readonly<Record<string, unknown>> {
  return isRecord(feature) && isRecord(feature['properties']) ? feature['properties'] : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPolygon(value: unknown): value is number[][][] {
  return Array.isArray(value) && value.length > 0 && value.every(isRing);
}

function isRing(value: unknown): value is number[][] {
  if (!Array.isArray(value) || value.length < 4 || !value.every(isPosition)) return false;
  const [first, last] = [value[0], value.at(-1)];
  return first?.[0] === last?.[0] && first?.[1] === last?.[1];
}

function isPosition(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false;
  const [longitude, latitude]: unknown[] = value;
  return within(longitude, 180) && within(latitude, 90);
}

function within(value: unknown, limit: number): boolean {
  return typeof value === 'number' && Math.abs(value) <= limit;
}
