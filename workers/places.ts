import type { Point } from '../domain/distance.ts';
import type { MarketId, ZoneId } from '../domain/ids.ts';
import type { ZoneIndex } from '../geo/zone-index.ts';

/** What workers need of the map. */
export type Places = Pick<ZoneIndex, 'at'>;

/** The zone of a place, if it belongs to this market. */
export function zoneOf(places: Places, market: MarketId, { latitude, longitude }: Point): ZoneId | undefined {
  const place = places.at(latitude, longitude);
  return place?.marketId === market ? place.zoneId : undefined;
}
