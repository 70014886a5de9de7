import { Client, Connection } from '@temporalio/client';
import { Redis, type RedisOptions } from 'ioredis';
import { Pool, type PoolConfig } from 'pg';
import type { TemporalTarget } from './config.ts';
import type { Logger } from './log.ts';

export interface PoolOptions {
  readonly max?: number;
  /** ms until a statement is cancelled by the server. */
  readonly statementTimeoutMs?: number;
  readonly log?: Pick<Logger, 'warn'>;
}

/** A connection that breaks while idle is dropped and logged; the next query opens a new one. */
export function createPool(url: string, options: PoolOptions = {}): Pool {
  const settings: PoolConfig = {
    connectionString: url,
    max: options.max ?? 10,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    application_name: 'equilibrium',
    ...(options.statementTimeoutMs === undefined ? {} : { statement_timeout: options.statementTimeoutMs }),
  };
  const pool = new Pool(settings);
  pool.on('error', (error) => options.log?.warn({ error: error.message }, 'idle database connection lost'));
  return pool;
}

export interface RedisConnectionOptions {
  /** For request paths: no queue while disconnected, no retry, an answer within 2 s or an error. */
  readonly failFast?: boolean;
  readonly name?: string;
  readonly log?: Pick<Logger, 'warn'>;
}

/** A command whose answer does not begin within this time ends its connection: the other side went silent without a word. */
const silenceMs = 8_000;
/** Who only listens sends no command, and would never miss the answer. */
const pingEveryMs = 2_000;

/**
 * A background connection waits for Redis to come back and sends again what got no reply (so a command may run twice).
 * A blocking read needs a connection of its own: see `blockingCopy`.
 */
export function createRedis(url: string, options: RedisConnectionOptions = {}): Redis {
  const patient: RedisOptions = { maxRetriesPerRequest: null };
  const failFast: RedisOptions = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 2_000,
    connectTimeout: 2_000,
  };
  const redis = new Redis(url, {
    ...(options.failFast === true ? failFast : patient),
    retryStrategy: (times) => Math.min(50 * times, 1_000),
    socketTimeout: silenceMs,
    ...(options.name === undefined ? {} : { connectionName: options.name }),
  });
  logOnce(redis, options.log);
  pingNowAndThen(redis);
  return redis;
}

/** A connection of its own for SUBSCRIBE, or XREADGROUP … BLOCK of a few seconds at most: patient, without a timeout per command. */
export function blockingCopy(redis: Redis, log?: Pick<Logger, 'warn'>): Redis {
  const copy = redis.duplicate({
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: true,
    commandTimeout: undefined,
    connectTimeout: 10_000,
    socketTimeout: silenceMs,
  });
  logOnce(copy, log);
  pingNowAndThen(copy);
  return copy;
}

/** Waits until the connection can be used, needed after a `failFast` one was made. Rejects after `timeoutMs`. */
export async function redisReady(redis: Redis, timeoutMs = 10_000): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.off('ready', ready);
      reject(new Error(`Redis did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const ready = () => {
      clearTimeout(timer);
      resolve();
    };
    redis.once('ready', ready);
  });
}

function pingNowAndThen(redis: Redis): void {
  const timer = setInterval(() => {
    if (redis.status === 'ready') redis.ping().catch(() => {});
  }, pingEveryMs).unref();
  redis.once('end', () => clearInterval(timer));
}

/** An outage is one log line, not one per attempt to reconnect. */
function logOnce(redis: Redis, log: Pick<Logger, 'warn'> | undefined): void {
  let down = false;
  redis.on('error', (error: Error) => {
    if (!down) log?.warn({ error: error.message }, 'redis connection lost');
    down = true;
  });
  redis.on('ready', () => {
    down = false;
  });
}

export interface TemporalConnection extends AsyncDisposable {
  readonly client: Client;
  readonly connection: Connection;
  close(): Promise<void>;
}

/** For API and command line. Worker entries use `NativeConnection.connect(connectOptions(target))` instead. */
export async function connectTemporal(
  target: Partial<TemporalTarget> & { address: string },
): Promise<TemporalConnection> {
  const { namespace = 'default' } = target;
  const connection = await Connection.connect({ ...connectOptions(target), connectTimeout: '5s' });
  const close = () => connection.close();
  return {
    connection,
    client: new Client({ connection, namespace }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Address, TLS and credentials in the shape that both kinds of Temporal connection take. */
export function connectOptions(target: Partial<TemporalTarget> & { address: string }) {
  const { address, tls, apiKey, metadata } = target;
  return {
    address,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}
