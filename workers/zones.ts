import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { Counter, type Registry } from 'prom-client';
import { createConfigCache } from '../activities/config-cache.ts';
import { createPricingActivities } from '../activities/pricing.ts';
import { publish, readCounts, readEntries, refresh } from '../db/board.ts';
import { readPricingConfigs } from '../db/pricing-config.ts';
import { newestRecordedPrice } from '../db/price-log.ts';
import type { BoardEntry } from '../domain/decision.ts';
import { type ZoneKey, zoneKey } from '../domain/ids.ts';
import { loadConfig } from '../platform/config.ts';
import { connectOptions, createPool, createRedis } from '../platform/connections.ts';
import { isEntry } from '../platform/entry.ts';
import { createLogger } from '../platform/log.ts';
import { createMetrics, serveMetrics } from '../platform/metrics.ts';
import { createShutdown } from '../platform/shutdown.ts';
import { loadGeography, watchGeography } from './geography.ts';

export const zoneWorkerOptions = {
  reuseV8Context: true,
  maxConcurrentWorkflowTaskExecutions: 100,
  maxConcurrentLocalActivityExecutions: 200,
  workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 10 },
  stickyQueueScheduleToStartTimeout: '2 seconds',
} as const satisfies Partial<WorkerOptions>;

/** The workflow code as built beforehand; from source it is bundled when the worker starts. */
export function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const bundle = fileURLToPath(new URL('../workflows/bundle.js', import.meta.url));
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  return { workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)) };
}

/** Demand beyond the most of a period is not priced; that it was reported must be seen. */
function countRefusedDemand(registry: Registry) {
  const counter = new Counter({
    name: 'equilibrium_demand_refused_tenths_total',
    help: 'Demand that zones refused as beyond the most of a period, in tenths of a request.',
    labelNames: ['market'],
    registers: [registry],
  });
  const seen = new Map<string, number>();
  return {
    note(market: string, { zoneId, vehicleClass, counts }: BoardEntry): void {
      const key = zoneKey(zoneId, vehicleClass);
      const more = counts.demandRefusedTenths - (seen.get(key) ?? counts.demandRefusedTenths);
      if (more > 0) counter.inc({ market }, more);
      seen.set(key, counts.demandRefusedTenths);
    },
  };
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger('zones', config.logLevel);
  const shutdown = createShutdown(log);
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => log.warn({ level, ...meta }, message)),
  });
  const registry = createMetrics('zones');
  const refused = countRefusedDemand(registry);
  if (config.metricsPort !== undefined) {
    const server = await serveMetrics(registry, config.metricsPort);
    shutdown.onShutdown('metrics', () => server.close());
  }
  const pool = createPool(config.databaseUrl, { log, max: 4, statementTimeoutMs: 2_000 });
  shutdown.onShutdown('postgres', () => pool.end());
  const redis = createRedis(config.redisUrl, { failFast: true, name: 'zones', log });
  shutdown.onShutdown('redis', () => redis.disconnect());
  const source = { pool, redis, log, wanted: config.markets };
  const geography = await loadGeography(source);
  const watch = watchGeography(source, geography, (reason) => shutdown.stop(reason));
  shutdown.onShutdown('map', () => watch.stop());
  const configs = createConfigCache({
    load: (market) => readPricingConfigs(pool, redis, market),
    clock: Date.now,
    lifeMs: 300_000,
  });
  const connection = await NativeConnection.connect(connectOptions(config.temporal));
  shutdown.onShutdown('temporal', () => connection.close());
  const worker = await Worker.create({
    ...zoneWorkerOptions,
    ...workflowSource(),
    // Beyond it a zone is rebuilt from its history at each task, which costs twice the CPU.
    maxCachedWorkflows: Math.round(1.2 * config.zonesHeld),
    connection,
    namespace: config.temporal.namespace,
    taskQueue: config.temporal.taskQueue,
    activities: createPricingActivities({
      board: {
        publish: (market, entry, snapshot) => publish(redis, market, entry, snapshot),
        refresh: (market, entry, snapshot) => {
          refused.note(market, entry);
          return refresh(redis, market, entry, snapshot);
        },
        counts: (market, zones) => readCounts(redis, market, zones),
        entry: async (market, zone) => (await readEntries(redis, market, [zone as ZoneKey]))[0],
      },
      recordedVersion: ({ zoneId, vehicleClass }) => newestRecordedPrice(pool, zoneId, vehicleClass),
      neighbours: (market, zoneId) => geography.index.neighbours(market, zoneId),
      configs: (market) => configs.of(market),
    }),
  });
  const running = worker.run();
  running.catch((error: unknown) => {
    log.error({ error: String(error) }, 'zone worker failed');
    process.exitCode = 1;
    shutdown.stop('worker failed');
  });
  shutdown.onShutdown('worker', async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
  log.info({ taskQueue: config.temporal.taskQueue }, 'zone worker ready');
  await shutdown.runUntilSignal();
}

if (isEntry(import.meta.filename)) await main();
