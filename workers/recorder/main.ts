import { Partitions } from '../../db/partitions.ts';
import { groups, redisKeys } from '../../db/redis-keys.ts';
import { createGroups, forgetConsumers, trimStreams } from '../../db/streams.ts';
import { loadConfig } from '../../platform/config.ts';
import { blockingCopy, createPool, createRedis } from '../../platform/connections.ts';
import { isEntry } from '../../platform/entry.ts';
import { createLogger } from '../../platform/log.ts';
import { createMetrics, serveMetrics } from '../../platform/metrics.ts';
import { createShutdown } from '../../platform/shutdown.ts';
import { loadGeography, watchGeography } from '../geography.ts';
import { startRepeated } from '../repeated.ts';
import { startStreamLoop } from '../stream-loop.ts';
import { createHistoryHandler } from './history.ts';
import { createRecorderMetrics } from './metrics.ts';
import { createRecordHandler } from './records.ts';

const entriesPerBatch = 1_000;
const trimEveryMs = 10_000;
const hourMs = 3_600_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger('recorder', config.logLevel);
  const shutdown = createShutdown(log);
  const registry = createMetrics('recorder');
  const metrics = createRecorderMetrics(registry);
  if (config.metricsPort !== undefined) {
    const server = await serveMetrics(registry, config.metricsPort);
    shutdown.onShutdown('metrics', () => server.close());
  }
  const redis = createRedis(config.redisUrl, { name: 'recorder', log });
  shutdown.onShutdown('redis', () => redis.disconnect());
  const pool = createPool(config.databaseUrl, { max: 6, log, statementTimeoutMs: 30_000 });
  shutdown.onShutdown('postgres', () => pool.end());
  const partitions = new Partitions(pool, config.retention);
  const upkeep = startRepeated(() => partitions.upkeep(Date.now()), {
    everyMs: hourMs,
    retryMs: 5_000,
    onError: (error) => log.warn({ error: String(error) }, 'partitions not kept up'),
  });
  shutdown.onShutdown('partitions', () => upkeep.stop());
  const source = { pool, redis, log, wanted: config.markets };
  const geography = await loadGeography(source);
  const { markets, index } = geography;
  const watch = watchGeography(source, geography, (reason) => shutdown.stop(reason));
  shutdown.onShutdown('map', () => watch.stop());

  for (const { marketId: market } of markets) {
    await createGroups(redis, market);
    const deps = { redis, pool, market, partitions, metrics, index };
    const { locations, demand, decisions, quotesPending } = redisKeys(market).streams;
    const loops = [
      { group: groups.history, streams: [locations, demand], handle: createHistoryHandler(deps) },
      { group: groups.recorder, streams: [decisions, quotesPending], handle: createRecordHandler(deps) },
    ].map(({ group, streams, handle }) => {
      const reader = { group, consumer: config.consumer, count: entriesPerBatch };
      return startStreamLoop({ redis, blocking: blockingCopy(redis, log), market, streams, reader, log, handle });
    });
    for (const loop of loops) shutdown.onShutdown(`loop ${market}`, () => loop.stop());
    const trimming = startRepeated(
      async () => {
        metrics.trimmed.inc({ market }, await trimStreams(redis, market, Date.now()));
        await forgetConsumers(redis, market, hourMs);
      },
      {
        everyMs: trimEveryMs,
        retryMs: trimEveryMs,
        onError: (error) => log.warn({ market, error: String(error) }, 'streams not trimmed'),
      },
    );
    shutdown.onShutdown(`trimming ${market}`, () => trimming.stop());
  }
  log.info({ markets: markets.map(({ marketId }) => marketId) }, 'recorder ready');
  await shutdown.runUntilSignal();
}

if (isEntry(import.meta.filename)) await main();
