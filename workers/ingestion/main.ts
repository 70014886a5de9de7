import { setTimeout as sleep } from 'node:timers/promises';
import { groups, redisKeys } from '../../db/redis-keys.ts';
import { createGroups } from '../../db/streams.ts';
import type { MarketId } from '../../domain/ids.ts';
import { type Config, loadConfig } from '../../platform/config.ts';
import {
  blockingCopy,
  connectTemporal,
  createPool,
  createRedis,
  type TemporalConnection,
} from '../../platform/connections.ts';
import { isEntry } from '../../platform/entry.ts';
import { createLogger, type Logger } from '../../platform/log.ts';
import { createMetrics, serveMetrics } from '../../platform/metrics.ts';
import { createShutdown } from '../../platform/shutdown.ts';
import { loadGeography, watchGeography } from '../geography.ts';
import { startStreamLoop } from '../stream-loop.ts';
import { createLiveHandler } from './live.ts';
import { createIngestionMetrics } from './metrics.ts';
import { startSignalling, type Signalling } from './signalling.ts';
import { startSweeper } from './sweeper.ts';

const entriesPerBatch = 500;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger('ingestion', config.logLevel);
  const shutdown = createShutdown(log);
  const registry = createMetrics('ingestion');
  const metrics = createIngestionMetrics(registry);
  if (config.metricsPort !== undefined) {
    const server = await serveMetrics(registry, config.metricsPort);
    shutdown.onShutdown('metrics', () => server.close());
  }
  const redis = createRedis(config.redisUrl, { name: 'ingestion', log });
  shutdown.onShutdown('redis', () => redis.disconnect());
  const pool = createPool(config.databaseUrl, { max: 2, log });
  shutdown.onShutdown('postgres', () => pool.end());
  const source = { pool, redis, log, wanted: config.markets };
  const geography = await loadGeography(source);
  const { markets, index } = geography;
  const watch = watchGeography(source, geography, (reason) => shutdown.stop(reason));
  shutdown.onShutdown('map', () => watch.stop());
  const signallings = new Map<MarketId, Signalling>();

  for (const { marketId: market } of markets) {
    const onApplied = () => signallings.get(market)?.nudge();
    await createGroups(redis, market);
    const sweeper = startSweeper({ redis, market, metrics, log, onApplied });
    shutdown.onShutdown(`sweeper ${market}`, () => sweeper.stop());
    const { locations, demand } = redisKeys(market).streams;
    const loop = startStreamLoop({
      redis,
      blocking: blockingCopy(redis, log),
      market,
      streams: [locations, demand],
      reader: { group: groups.live, consumer: config.consumer, count: entriesPerBatch },
      log,
      handle: createLiveHandler({ redis, market, index, metrics, log, onApplied, onFeedDoubt: sweeper.soon }),
    });
    shutdown.onShutdown(`live ${market}`, () => loop.stop());
  }
  log.info({ markets: markets.map(({ marketId }) => marketId) }, 'ingestion ready');

  // Live state goes on while Temporal is away; the newest observations go out once it is back.
  const ending = new AbortController();
  shutdown.onShutdown('waiting', () => ending.abort());
  async function signalZones(): Promise<void> {
    const temporal = await connectWhenUp(config.temporal, log, ending.signal);
    if (temporal === undefined) return;
    shutdown.onShutdown('temporal', () => temporal.close());
    for (const { marketId: market } of markets) {
      const signalling = startSignalling({
        market,
        redis,
        subscriber: blockingCopy(redis, log),
        client: temporal.client,
        taskQueue: config.temporal.taskQueue,
        holder: config.consumer,
        log,
      });
      signallings.set(market, signalling);
      shutdown.onShutdown(`signalling ${market}`, () => signalling.stop());
    }
  }
  void signalZones();
  await shutdown.runUntilSignal();
}

/** undefined when the process ends first. */
async function connectWhenUp(
  target: Config['temporal'],
  log: Logger,
  ending: AbortSignal,
): Promise<TemporalConnection | undefined> {
  for (let told = false; !ending.aborted; told = true) {
    try {
      const temporal = await connectTemporal(target);
      if (!ending.aborted) return temporal;
      await temporal.close();
    } catch (error) {
      if (!told) log.warn({ error: String(error) }, 'waiting for Temporal');
      await sleep(1_000, undefined, { signal: ending }).catch(() => {});
    }
  }
  return undefined;
}

if (isEntry(import.meta.filename)) await main();
