import { haversineKm, type Point } from '../domain/distance.ts';
import type { MarketGeography, NamedZone } from '../domain/geography.ts';
import { type MarketId, parseZoneId, type ZoneId } from '../domain/ids.ts';
import { smoothingRadiusKm } from '../domain/smoothing.ts';
import { bareCell, bareCellsAround, cellCenter, isBareCell, partsOfBareCell, zoneCell } from './cells.ts';
import { containment, positionsOf } from './polygon.ts';

/** Where a point is priced. */
export interface Place {
  readonly marketId: MarketId;
  readonly zoneId: ZoneId;
  readonly zoneName: string;
}

export interface NeighbourZone {
  readonly zoneId: ZoneId;
  readonly distanceKm: number;
}

interface IndexedMarket {
  readonly geography: MarketGeography;
  readonly contains: (point: Point) => boolean;
  readonly neighbours: Map<ZoneId, readonly NeighbourZone[]>;
  /** Bare cells that hold a corner of the boundary. */
  readonly corners: ReadonlySet<string>;
  /** Answers of `#canBePriced`, which is asked for the same cells again and again. */
  readonly priceable: Map<string, boolean>;
}

/** Finds zones by place; immutable, made anew when the zones of a market change. */
export class ZoneIndex {
  readonly #markets: ReadonlyMap<MarketId, IndexedMarket>;
  readonly #zones = new Map<ZoneId, { place: Place; zone: NamedZone }>();
  readonly #cells = new Map<string, Place>();

  constructor(geographies: readonly MarketGeography[]) {
    this.#markets = new Map(geographies.map((geography) => [geography.marketId, indexed(geography)]));
    for (const { marketId, zones } of geographies) {
      for (const zone of zones) this.#add({ marketId, zoneId: zone.zoneId, zoneName: zone.zoneName }, zone);
    }
  }

  /** The named zone or bare cell of a place; undefined outside every market. */
  at(latitude: number, longitude: number): Place | undefined {
    const point = { latitude, longitude };
    const named = this.#cells.get(zoneCell(point));
    if (named !== undefined) return named;
    for (const [marketId, { contains }] of this.#markets) {
      if (contains(point)) return barePlace(marketId, bareCell(point));
    }
    return undefined;
  }

  /** Zones of the market whose centres lie within 2 km, nearest first: named ones, and bare cells that can be priced. */
  neighbours(marketId: MarketId, zoneId: ZoneId): readonly NeighbourZone[] {
    const market = this.#markets.get(marketId);
    const center = this.center(zoneId);
    if (market === undefined || center === undefined) return [];
    const known = market.neighbours.get(zoneId);
    if (known !== undefined) return known;
    const found = this.#findNeighbours(market, zoneId, center);
    market.neighbours.set(zoneId, found);
    return found;
  }

  /** Centroid of a named zone, centre of a bare cell; undefined for an id that is neither. */
  center(zoneId: ZoneId): Point | undefined {
    return this.#zones.get(zoneId)?.zone.center ?? (isBareCell(zoneId) ? cellCenter(zoneId) : undefined);
  }

  /** Market and name of a zone; a bare cell is found through its centre. */
  zone(zoneId: ZoneId): Place | undefined {
    const named = this.#zones.get(zoneId)?.place;
    if (named !== undefined || !isBareCell(zoneId)) return named;
    for (const [marketId, market] of this.#markets) {
      if (this.#canBePriced(market, zoneId)) return barePlace(marketId, zoneId);
    }
    return undefined;
  }

  market(marketId: MarketId): MarketGeography | undefined {
    return this.#markets.get(marketId)?.geography;
  }

  markets(): readonly MarketGeography[] {
    return [...this.#markets.values()].map(({ geography }) => geography);
  }

  #add(place: Place, zone: NamedZone): void {
    this.#zones.set(place.zoneId, { place, zone });
    for (const cell of zone.cells) {
      if (!this.#cells.has(cell)) this.#cells.set(cell, place);
    }
  }

  #findNeighbours(market: IndexedMarket, zoneId: ZoneId, center: Point): NeighbourZone[] {
    const named = market.geography.zones.map((zone) => ({ zoneId: zone.zoneId, center: zone.center }));
    const bare = bareCellsAround(center).flatMap((cell) => {
      const id = parseZoneId(cell);
      return id !== undefined && this.#canBePriced(market, id) ? [{ zoneId: id, center: cellCenter(cell) }] : [];
    });
    return [...named, ...bare]
      .map((other) => ({ zoneId: other.zoneId, distanceKm: haversineKm(center, other.center) }))
      .filter((other) => other.zoneId !== zoneId && other.distanceKm <= smoothingRadiusKm)
      .toSorted((a, b) => a.distanceKm - b.distanceKm || (a.zoneId < b.zoneId ? -1 : 1));
  }

  /** Whether some place in the cell is inside the market and in no named zone. Errs towards yes by a few metres. */
  #canBePriced({ contains, corners, priceable }: IndexedMarket, cell: ZoneId): boolean {
    const known = priceable.get(cell);
    if (known !== undefined) return known;
    const free = partsOfBareCell(cell).filter((part) => !this.#cells.has(part.cell));
    const answer = free.length > 0 && (corners.has(cell) || free.some(({ points }) => points.some(contains)));
    priceable.set(cell, answer);
    return answer;
  }
}

function indexed(geography: MarketGeography): IndexedMarket {
  const { boundary } = geography;
  const corners = positionsOf(boundary).map(([longitude = 0, latitude = 0]) => bareCell({ latitude, longitude }));
  return {
    geography,
    contains: containment(boundary),
    neighbours: new Map(),
    corners: new Set(corners),
    priceable: new Map(),
  };
}

function barePlace(marketId: MarketId, cell: string): Place | undefined {
  const zoneId = parseZoneId(cell);
  return zoneId === undefined ? undefined : { marketId, zoneId, zoneName: `Cell ${cell}` };
}
