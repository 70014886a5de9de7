import { Client, Connection } from '@temporalio/client';
import { type Config, loadConfig } from '../platform/config.ts';
import { connectOptions, createPool, createRedis } from '../platform/connections.ts';
import { loadKeys } from '../platform/keys.ts';
import { createLogger } from '../platform/log.ts';
import { createMetrics, serveMetrics } from '../platform/metrics.ts';
import { createShutdown } from '../platform/shutdown.ts';
import { readState } from '../platform/state.ts';
import { listen } from './server.ts';
import { createApiService } from './service.ts';

const databaseConnections = 10;
const statementTimeoutMs = 5_000;
/** A balancer needs a moment to see that this process is not ready any more. */
const noticeMs = 3_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger('api', config.logLevel);
  const keys = loadKeys(config.authKeys, { production: config.production });
  const shutdown = createShutdown(log, 20_000);
  const pool = createPool(config.databaseUrl, { log, max: databaseConnections, statementTimeoutMs });
  shutdown.onShutdown('postgres', () => pool.end());
  const redis = createRedis(config.redisUrl, { failFast: true, name: 'api', log });
  const subscriber = createRedis(config.redisUrl, { name: 'api-prices', log });
  shutdown.onShutdown('redis', () => {
    redis.disconnect();
    subscriber.disconnect();
  });
  // Temporal is asked for views only: it may come later than we do, and go away.
  const connection = Connection.lazy(connectOptions(config.temporal));
  shutdown.onShutdown('temporal', () => connection.close());
  const service = createApiService({
    pool,
    redis,
    subscriber,
    temporal: new Client({ connection, namespace: config.temporal.namespace }),
    pingTemporal: () => connection.withDeadline(Date.now() + 5_000, () => connection.workflowService.getSystemInfo({})),
    temporalUi: temporalUi(config),
    keys,
    log,
  });
  shutdown.onShutdown('loops', () => service.stop());
  if (config.metricsPort !== undefined) {
    const metrics = await serveMetrics(createMetrics('api'), config.metricsPort, config.host);
    shutdown.onShutdown('metrics', () => metrics.close());
  }
  const listening = await listen(service.app, config.host, config.port);
  shutdown.onShutdown('http', async () => {
    service.lifecycle.draining = true;
    if (config.production) await new Promise((resolve) => setTimeout(resolve, noticeMs));
    await listening.close();
  });
  log.info({ host: config.host, port: listening.port }, 'listening');
  void service.start();
  await shutdown.runUntilSignal();
}

/** Known only after everything was started, hence looked up when it is first needed. */
function temporalUi(config: Config): () => string | undefined {
  let url: string | undefined;
  return () => (url ??= readState(config.home)?.temporalUiUrl);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // Connections that were opened already would keep the process alive.
  process.exit(1);
});
