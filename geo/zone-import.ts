import type { Boundary, NamedZone } from '../domain/geography.ts';
import type { MarketId } from '../domain/ids.ts';
import { zoneCell } from './cells.ts';
import { type AreaFeature, readAreas, type RejectedFeature } from './geojson.ts';
import { areaSquareMeters, centroidOf, convexHull, equalAreaRadius } from './polygon.ts';
import { assignCells, type CellConflict, type Sliver } from './zone-cells.ts';
import { zoneIds } from './zone-ids.ts';

export interface ZoneImportOptions {
  readonly marketId: MarketId;
  /** Properties of a feature that hold its number, name and district. */
  readonly numberProperty?: string;
  readonly nameProperty?: string;
  readonly groupProperty?: string;
  /** Of the market; the convex hull of all zones unless given. */
  readonly boundary?: Boundary | undefined;
}

export interface ZoneImport {
  readonly zones: readonly NamedZone[];
  readonly boundary: Boundary;
  readonly conflicts: readonly CellConflict[];
  readonly slivers: readonly Sliver[];
  readonly rejected: readonly RejectedFeature[];
}

/** A zone beyond this size (about 200,000 cells) is a mistake, and would exhaust memory. */
const largestZoneSquareKm = 20_000;

/**
 * Named zones from the polygons of a GeoJSON FeatureCollection.
 * Throws TypeError for another document, RangeError when it holds no usable area or two zones of one name and number.
 */
export function importZones(geojson: unknown, options: ZoneImportOptions): ZoneImport {
  const { areas, rejected } = usable(geojson);
  const boundary = options.boundary ?? convexHull(areas.map((area) => area.boundary));
  if (boundary === undefined) throw new RangeError('the document holds no area that can be a zone');
  const { numberProperty = 'location_id', nameProperty = 'zone', groupProperty = 'borough' } = options;
  const labels = areas.map(({ index, properties }) => {
    const number = text(properties[numberProperty]) ?? String(index + 1);
    return { number, name: text(properties[nameProperty]) ?? `zone ${number}`, group: text(properties[groupProperty]) };
  });
  const ids = zoneIds(options.marketId, labels);
  const shapes = areas.flatMap((area, place) => {
    const [zoneId, label] = [ids[place], labels[place]];
    if (zoneId === undefined || label === undefined) return [];
    return [{ zoneId, label, boundary: area.boundary, center: centroidOf(area.boundary) }];
  });
  const { cells, conflicts, slivers } = assignCells(shapes);
  const zones = shapes.map(({ zoneId, label, boundary: shape, center }) => ({
    zoneId,
    zoneName: label.name,
    zoneGroup: label.group ?? null,
    center,
    centerCell: zoneCell(center),
    radiusMeters: equalAreaRadius(shape),
    boundary: shape,
    cells: cells.get(zoneId) ?? [],
  }));
  return { zones, boundary, conflicts, slivers, rejected };
}

function usable(geojson: unknown): { areas: AreaFeature[]; rejected: RejectedFeature[] } {
  const read = readAreas(geojson);
  const tooLarge = ({ boundary }: AreaFeature) => areaSquareMeters(boundary) > largestZoneSquareKm * 1e6;
  const reason = `larger than ${largestZoneSquareKm} km²`;
  return {
    areas: read.areas.filter((area) => !tooLarge(area)),
    rejected: [...read.rejected, ...read.areas.filter(tooLarge).map(({ index }) => ({ index, reason }))],
  };
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
