import { area, booleanPointInPolygon, convex, multiPoint } from '@turf/turf';
import type { Point } from '../domain/distance.ts';
import type { Boundary } from '../domain/geography.ts';

type Ring = number[][];

/** All polygons of an area, each with its outer ring first and holes after it. */
export function polygonsOf(boundary: Boundary): Ring[][] {
  return boundary.type === 'Polygon' ? [boundary.coordinates] : boundary.coordinates;
}

/** Whether an area spans more than half the globe as written, which only one across the antimeridian does. */
export function crossesAntimeridian(boundaries: readonly Boundary[]): boolean {
  let west = Number.POSITIVE_INFINITY;
  let east = Number.NEGATIVE_INFINITY;
  for (const [longitude = 0] of boundaries.flatMap(positionsOf)) {
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
  }
  return east - west > 180;
}

/** The same area with longitudes of 0–360, so that plain geometry works across the antimeridian. */
export function unwrap(boundary: Boundary): Boundary {
  const moved = polygonsOf(boundary).map((rings) => rings.map((ring) => ring.map(eastward)));
  return { type: 'MultiPolygon', coordinates: moved };
}

/** Whether a place lies in an area (its edge included); answers fast for places far away. */
export function containment(boundary: Boundary): (point: Point) => boolean {
  const wrapped = crossesAntimeridian([boundary]);
  const plain = wrapped ? unwrap(boundary) : boundary;
  return ({ latitude, longitude }) => {
    const position = wrapped ? eastward([longitude, latitude]) : [longitude, latitude];
    return booleanPointInPolygon(position, plain);
  };
}

/** Centroid by area, holes taken out. */
export function centroidOf(boundary: Boundary): Point {
  const wrapped = crossesAntimeridian([boundary]);
  const plain = wrapped ? unwrap(boundary) : boundary;
  // Measured from a corner of its own: far from the origin the products would lose digits.
  const [originX = 0, originY = 0] = positionsOf(plain)[0] ?? [];
  let total = { area: 0, x: 0, y: 0 };
  for (const rings of polygonsOf(plain)) {
    rings.forEach((ring, index) => {
      const part = ringMoments(ring, originX, originY);
      const sign = (index === 0 ? 1 : -1) * Math.sign(part.area);
      total = { area: total.area + sign * part.area, x: total.x + sign * part.x, y: total.y + sign * part.y };
    });
  }
  const flat = total.area === 0;
  const longitude = originX + (flat ? 0 : total.x / (3 * total.area));
  const latitude = originY + (flat ? 0 : total.y / (3 * total.area));
  return { latitude, longitude: longitude > 180 ? longitude - 360 : longitude };
}

/** Radius in metres of the circle with the same area. */
export function equalAreaRadius(boundary: Boundary): number {
  return Math.sqrt(areaSquareMeters(boundary) / Math.PI);
}

export function areaSquareMeters(boundary: Boundary): number {
  return area(crossesAntimeridian([boundary]) ? unwrap(boundary) : boundary);
}

/** The smallest convex area around all of them; undefined without any. */
export function convexHull(boundaries: readonly Boundary[]): Boundary | undefined {
  const wrapped = crossesAntimeridian(boundaries);
  const positions = boundaries.flatMap(positionsOf).map((position) => (wrapped ? eastward(position) : position));
  const hull = positions.length === 0 ? null : convex(multiPoint(positions));
  if (hull === null) return undefined;
  const rings = hull.geometry.coordinates.map((ring) => ring.map(westward));
  return { type: 'Polygon', coordinates: rings };
}

/** Every corner of an area, as [longitude, latitude]. */
export function positionsOf(boundary: Boundary): number[][] {
  return polygonsOf(boundary).flat(2);
}

function eastward([longitude = 0, latitude = 0]: readonly number[]): number[] {
  return [longitude < 0 ? longitude + 360 : longitude, latitude];
}

function westward([longitude = 0, latitude = 0]: readonly number[]): number[] {
  return [longitude > 180 ? longitude - 360 : longitude, latitude];
}

/** Twice the signed area of a ring and six times its moments, relative to an origin. */
function ringMoments(ring: Ring, originX: number, originY: number): { area: number; x: number; y: number } {
  let doubleArea = 0;
  let x = 0;
  let y = 0;
  ring.forEach((from, index) => {
    const to = ring[(index + 1) % ring.length] ?? from;
    const [fromX, fromY] = [(from[0] ?? 0) - originX, (from[1] ?? 0) - originY];
    const [toX, toY] = [(to[0] ?? 0) - originX, (to[1] ?? 0) - originY];
    const cross = fromX * toY - toX * fromY;
    doubleArea += cross;
    x += (fromX + toX) * cross;
    y += (fromY + toY) * cross;
  });
  return { area: doubleArea, x, y };
}
