import { polygonToCells } from 'h3-js';
import type { Point } from '../domain/distance.ts';
import type { Boundary } from '../domain/geography.ts';
import type { ZoneId } from '../domain/ids.ts';
import { zoneCell, zoneResolution } from './cells.ts';
import { polygonsOf } from './polygon.ts';

export interface ZoneArea {
  readonly zoneId: ZoneId;
  readonly boundary: Boundary;
  readonly center: Point;
}

/** A cell that several zones claim. */
export interface CellConflict {
  readonly cell: string;
  readonly winner: ZoneId;
  readonly losers: readonly ZoneId[];
  /** Whether the winner has it for its centroid, which goes before the polygons of others. */
  readonly by: 'centroid' | 'polygon';
}

/** A zone so small or thin that no cell has its centre in it. */
export interface Sliver {
  readonly zoneId: ZoneId;
  /** Cells it owns nevertheless: 1, that of its centroid, or 0 when another zone's centroid lies in the same cell. */
  readonly cells: number;
}

export interface CellAssignment {
  readonly cells: ReadonlyMap<ZoneId, readonly string[]>;
  readonly conflicts: readonly CellConflict[];
  readonly slivers: readonly Sliver[];
}

/** A cell belongs to the area that holds its centre; a doubly claimed one to the lower zone id. */
export function assignCells(areas: readonly ZoneArea[]): CellAssignment {
  const ordered = areas.toSorted((a, b) => (a.zoneId < b.zoneId ? -1 : 1));
  const claims = new Map<string, { owner: ZoneId; by: 'centroid' | 'polygon'; losers: Set<ZoneId> }>();
  const claim = (cell: string, zoneId: ZoneId, by: 'centroid' | 'polygon') => {
    const taken = claims.get(cell);
    if (taken === undefined) claims.set(cell, { owner: zoneId, by, losers: new Set() });
    else if (taken.owner !== zoneId) taken.losers.add(zoneId);
  };
  const slivers: ZoneId[] = [];
  for (const { zoneId, center } of ordered) claim(zoneCell(center), zoneId, 'centroid');
  for (const { zoneId, boundary } of ordered) {
    const inside = cellsInside(boundary);
    if (inside.size === 0) slivers.push(zoneId);
    for (const cell of inside) claim(cell, zoneId, 'polygon');
  }

  const cells = new Map<ZoneId, string[]>(ordered.map(({ zoneId }) => [zoneId, []]));
  const conflicts: CellConflict[] = [];
  for (const [cell, { owner, by, losers }] of claims) {
    cells.get(owner)?.push(cell);
    if (losers.size > 0) conflicts.push({ cell, winner: owner, losers: [...losers], by });
  }
  return { cells, conflicts, slivers: slivers.map((zoneId) => ({ zoneId, cells: cells.get(zoneId)?.length ?? 0 })) };
}

/** Cells whose centres lie in the area. The library reads a ring wider than half the globe as crossing the antimeridian. */
function cellsInside(boundary: Boundary): ReadonlySet<string> {
  return new Set(polygonsOf(boundary).flatMap((rings) => polygonToCells(rings, zoneResolution, true)));
}
