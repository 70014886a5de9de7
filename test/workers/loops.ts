import type { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import type { Pool } from 'pg';
import { Partitions } from '../../db/partitions.ts';
import { groups } from '../../db/redis-keys.ts';
import { blockingCopy } from '../../platform/connections.ts';
import { createLogger } from '../../platform/log.ts';
import { createLiveHandler, type LiveDeps } from '../../workers/ingestion/live.ts';
import { createIngestionMetrics } from '../../workers/ingestion/metrics.ts';
import { createHistoryHandler } from '../../workers/recorder/history.ts';
import { createRecorderMetrics } from '../../workers/recorder/metrics.ts';
import { createRecordHandler } from '../../workers/recorder/records.ts';
import { startStreamLoop, type StreamLoop, type StreamLoopDeps } from '../../workers/stream-loop.ts';
import type { RedisMarket } from '../db/redis-market.ts';
import { stripes } from './events.ts';

export const silent = createLogger('test', 'silent');

export function liveDeps({ redis, market }: RedisMarket, changes: Partial<LiveDeps> = {}): LiveDeps {
  const metrics = createIngestionMetrics(new Registry());
  const index = stripes(market);
  return { redis, market, index, metrics, log: silent, onApplied: ignore, onFeedDoubt: ignore, ...changes };
}

export function ignore(): void {}

export function startLive(market: RedisMarket, changes: Partial<StreamLoopDeps> = {}): StreamLoop {
  const { locations, demand } = market.keys.streams;
  const handle = createLiveHandler(liveDeps(market));
  return start(market, { group: groups.live, streams: [locations, demand], handle }, changes);
}

export function startHistory(market: RedisMarket, pool: Pool): StreamLoop {
  const { locations, demand } = market.keys.streams;
  const handle = createHistoryHandler({ ...recorderDeps(market, pool), index: stripes(market.market) });
  return start(market, { group: groups.history, streams: [locations, demand], handle });
}

export function startRecords(market: RedisMarket, pool: Pool): StreamLoop {
  const { decisions, quotesPending } = market.keys.streams;
  const handle = createRecordHandler(recorderDeps(market, pool));
  return start(market, { group: groups.recorder, streams: [decisions, quotesPending], handle });
}

function recorderDeps({ redis, market }: RedisMarket, pool: Pool) {
  const metrics = createRecorderMetrics(new Registry());
  return { redis, pool, market, partitions: new Partitions(pool), metrics };
}

/** Stopped at the latest when the market goes. */
function start(
  { redis, market, closing }: RedisMarket,
  { group, streams, handle }: { group: string } & Pick<StreamLoopDeps, 'streams' | 'handle'>,
  changes: Partial<StreamLoopDeps> = {},
): StreamLoop {
  const loop = startStreamLoop({
    redis,
    blocking: blockingCopy(redis),
    market,
    streams,
    reader: { group, consumer: 'test', count: 100 },
    log: silent,
    handle,
    blockMs: 50,
    ...changes,
  });
  closing.push(() => loop.stop());
  return loop;
}

/** Entries that a group was given and has not acknowledged. */
export async function pendingOf(redis: Redis, stream: string, group: string): Promise<number> {
  const [count] = await redis.xpending(stream, group);
  return Number(count);
}
