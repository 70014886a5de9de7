import {
  cellToBoundary,
  cellToCenterChild,
  cellToLatLng,
  getResolution,
  gridDisk,
  isValidCell,
  latLngToCell,
} from 'h3-js';
import type { Point } from '../domain/distance.ts';

/** Named zones are sets of cells of this resolution (about 0.1 km²). */
export const zoneResolution = 9;

/** An unnamed place is priced by its cell of this resolution (about 0.7 km²). */
export const bareResolution = 8;

/** The cell of resolution 9 that decides which named zone a place belongs to. */
export function zoneCell({ latitude, longitude }: Point): string {
  return latLngToCell(latitude, longitude, zoneResolution);
}

/** The cell of resolution 8 whose id is the zone id of an unnamed place. */
export function bareCell({ latitude, longitude }: Point): string {
  return latLngToCell(latitude, longitude, bareResolution);
}

export function isBareCell(text: string): boolean {
  return isValidCell(text) && getResolution(text) === bareResolution;
}

export function cellCenter(cell: string): Point {
  const [latitude, longitude] = cellToLatLng(cell);
  return { latitude, longitude };
}

/** All bare cells whose centres may lie within 2 km of a place: four rings reach at least 2.6 km everywhere. */
export function bareCellsAround(point: Point): string[] {
  return gridDisk(bareCell(point), 4);
}

/**
 * The cells of resolution 9 that a bare cell touches, each with its centre and corners. Two rings around the middle
 * cover the whole cell: the seven children do not, as the edges of the resolutions do not meet.
 */
export function partsOfBareCell(cell: string): { cell: string; points: Point[] }[] {
  return gridDisk(cellToCenterChild(cell, zoneResolution), 2).map((part) => {
    const corners = cellToBoundary(part).map(([latitude, longitude]) => ({ latitude, longitude }));
    return { cell: part, points: [cellCenter(part), ...corners] };
  });
}
