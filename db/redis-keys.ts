import type { MarketId } from '../domain/ids.ts';

/** All keys of a market share its hash tag, so they live in one slot of a Redis Cluster. */
export function redisKeys(market: MarketId) {
  const prefix = `{${market}}:`;
  return {
    prefix,
    /** Names the life of this Redis state; set once, ordered. */
    epoch: `${prefix}epoch`,
    /** zset `<zone>:<class>` → rev, waiting to be signalled. */
    changed: `${prefix}changed`,
    /** zset `<zone>:<class>` → ms of the last signal or tick: zones that are awake. */
    active: `${prefix}active`,
    /** zset `<zone>:<class>` → as_of ms: every zone that has a board entry. */
    priced: `${prefix}priced`,
    /** zset driver → ms of the last accepted fix, for sweep and feed. */
    fresh: `${prefix}drivers:fresh`,
    /** hash: state, watermark (last fresh fix), flowing_since (first after a silence), healthy_at, samples of the fresh count. */
    feed: `${prefix}feed`,
    geo: `${prefix}drivers:geo`,
    /** hash driver → `<zone>:<class>` whose supply counts it; outlives the driver's last fix until the sweep. */
    members: `${prefix}drivers:zones`,
    driver: (id: string) => `${prefix}driver:location:${id}`,
    zoneDrivers: (key: string) => `${prefix}zone:${key}:drivers`,
    zoneDemand: (key: string) => `${prefix}zone:${key}:demand`,
    pricing: (key: string) => `${prefix}pricing:${key}`,
    pendingQuote: (id: string) => `${prefix}quote:${id}`,
    /** string: the active pricing configurations as Postgres held them when it was last read, JSON. */
    pricingConfigs: `${prefix}pricing-configs`,
    lease: (name: string) => `${prefix}lease:${name}`,
    streams: {
      locations: `${prefix}driver-locations`,
      demand: `${prefix}demand-events`,
      decisions: `${prefix}decisions`,
      quotesPending: `${prefix}quotes-pending`,
      deadLetter: `${prefix}dead-letter`,
    },
    channels: {
      prices: `${prefix}prices`,
      config: `${prefix}config`,
      driver: (id: string) => `${prefix}driver:${id}`,
    },
  } as const;
}

export type RedisKeys = ReturnType<typeof redisKeys>;

/** Which market saw a driver last; not in the market's slot, as a driver may cross over. */
export function driverMarketKey(driverId: string): string {
  return `driver:market:${driverId}`;
}

/** hash digest, markets: the markets as Postgres held them when it was last read, JSON. Of all markets, thus in no one's slot. */
export const marketsKey = 'markets';

/** Consumer groups: `live` feeds the zones, `history` and `recorder` feed Postgres. */
export const groups = { live: 'live', history: 'history', recorder: 'recorder' } as const;
