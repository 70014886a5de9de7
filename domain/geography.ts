import type { Point } from './distance.ts';
import type { Tariff } from './fare.ts';
import type { MarketId, ZoneId } from './ids.ts';

/** GeoJSON geometry of an area; positions are [longitude, latitude] in degrees, WGS 84. */
export type Boundary =
  | { type: 'Polygon'; coordinates: number[][][] }
  | { type: 'MultiPolygon'; coordinates: number[][][][] };

/** A city or region with what a ride costs there (table `markets`). */
export interface Market {
  readonly marketId: MarketId;
  readonly name: string;
  /** IANA name; rush hours are read in it. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly tariff: Tariff;
  /** km/h for each of the 24 hours of the local day; null: the tariff's speed. */
  readonly speedByHour: readonly number[] | null;
  /** Major units. */
  readonly averageBaseFare: number;
  /** A place outside is not served. */
  readonly boundary: Boundary;
}

/** A named zone (tables `surge_zones`, `surge_zone_cells`). */
export interface NamedZone {
  readonly zoneId: ZoneId;
  readonly zoneName: string;
  /** Borough or district. */
  readonly zoneGroup: string | null;
  /** Centroid of the polygon, from which distances to neighbours are measured. */
  readonly center: Point;
  /** H3 cell of resolution 9 that holds the centre. */
  readonly centerCell: string;
  /** Of the circle of equal area. */
  readonly radiusMeters: number;
  readonly boundary: Boundary | null;
  /** H3 cells of resolution 9. */
  readonly cells: readonly string[];
}

/** Everything about a market that a process keeps in memory. */
export interface MarketGeography extends Market {
  readonly zones: readonly NamedZone[];
}
