import { type MarketId, parseZoneId, type ZoneId } from '../domain/ids.ts';

const longestZoneId = 63;

/** Plain lower-case words joined by dashes: `Governor's Island` becomes `governors-island`. */
export function slug(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036F'’]/g, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}

/**
 * One id per zone, `<market>-<slug of the name>`. Zones whose names come out alike all get their number appended, so
 * that the order in the file decides nothing. Throws RangeError when even the numbers do not tell them apart.
 */
export function zoneIds(market: MarketId, zones: readonly { name: string; number: string }[]): ZoneId[] {
  const plain = zones.map(({ name, number }) => `${market}-${slug(name) || slug(number)}`.slice(0, longestZoneId));
  const ids = plain.map((id, index) => {
    if (plain.filter((other) => other === id).length === 1) return id;
    const suffix = `-${slug(zones[index]?.number ?? '')}`;
    return id.slice(0, longestZoneId - suffix.length) + suffix;
  });
  return ids.map((id) => {
    const zoneId = parseZoneId(id);
    if (zoneId === undefined) throw new RangeError(`no zone id can be made from ${id}`);
    if (ids.indexOf(id) !== ids.lastIndexOf(id)) throw new RangeError(`two zones would be called ${id}`);
    return zoneId;
  });
}
