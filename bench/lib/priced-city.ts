import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { publish, refresh } from '../../db/board.ts';
import { loadMarkets } from '../../db/markets.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import { defaultGlobalRules, defaultPricingConfig } from '../../domain/config.ts';
import type { BoardEntry, Decision } from '../../domain/decision.ts';
import { type MarketId, parseMarketId, type ZoneId } from '../../domain/ids.ts';
import { rate } from '../../domain/rate.ts';
import { settle } from '../../domain/settle.ts';
import { foldObservation, newZone, type ZoneState } from '../../domain/zone.ts';
import { boardEntry, decidedZone, snapshotOf } from '../../domain/zone-board.ts';
import { decisionOf, limitsOf, noteRating } from '../../domain/zone-decision.ts';

/** Every named zone of New York with a surge on the board, and a feed that looks alive, without workers behind it. */
export async function priceCity(redis: Redis, pool: Pool): Promise<{ stop(): void }> {
  const market = parseMarketId('nyc');
  const geography = (await loadMarkets(pool)).find(({ marketId }) => marketId === market);
  if (market === undefined || geography === undefined) throw new Error('New York is not there');
  const zones = geography.zones.map(({ zoneId }) => pricedZone(zoneId));
  await keepFeedAlive(redis, market);
  for (const { entry } of zones) await publish(redis, market, entry, null);
  let next = 0;
  // As often as ticks of all zones would: every zone once in 30 s.
  const timer = setInterval(() => {
    const one = zones[(next += 1) % zones.length];
    if (one === undefined) return;
    const entry = { ...one.entry, asOfMs: Date.now() };
    void refresh(redis, market, entry, snapshotOf(one.zone, entry.asOfMs));
    void keepFeedAlive(redis, market);
  }, 30_000 / zones.length);
  return { stop: () => clearInterval(timer) };
}

async function keepFeedAlive(redis: Redis, market: MarketId): Promise<void> {
  const nowMs = Date.now();
  await redis.hset(redisKeys(market).feed, { state: 'healthy', watermark: nowMs, healthy_at: nowMs });
}

/** A zone with twelve riders on eight drivers, priced by the real formulas. */
function pricedZone(zoneId: ZoneId): { zone: ZoneState; entry: BoardEntry & { readonly decision: Decision } } {
  const nowMs = Date.now();
  const observation = { epoch: 1, rev: 1, supply: 8, supplyAsOfMs: nowMs, feed: 'healthy', demandTotal: 120 } as const;
  const seen = foldObservation(newZone(zoneId, 'car', nowMs, nowMs + 30_000), { ...observation, observedAtMs: nowMs });
  const rating = rate({
    own: { supply: seen.supply, demand: seen.demand },
    neighbours: [{ distanceKm: 1, supply: 4, demand: 8 }],
    feed: seen.feed,
    observationAgeMs: 0,
    last: seen.multiplier,
    config: defaultPricingConfig,
    adaptiveFactor: 1,
    context: { rushHour: false, severeWeather: false, event: false },
  });
  const rated = { rating, config: defaultPricingConfig, global: defaultGlobalRules, regulatoryCaps: [] };
  const state = { last: seen.multiplier, periodStart: seen.periodStart, lastChangedAtMs: null };
  const settlement = settle(rating.rated, state, limitsOf(rated, seen), nowMs);
  if (settlement.kind !== 'moved') throw new Error('the zone of the bench must surge');
  const noted = noteRating(seen, rated, settlement);
  const decision = decisionOf(noted, rated, settlement, { trigger: 'observation', runId: 'bench', nowMs });
  const zone = decidedZone(noted, decision);
  return { zone, entry: { ...boardEntry(zone, nowMs), decision } };
}
