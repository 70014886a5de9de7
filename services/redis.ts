import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ServiceError } from './errors.ts';
import { dieWithParent, findOnPath, isRoot, runTool } from './executables.ts';
import { stepAround } from './ports.ts';
import type { Progress } from './progress.ts';
import { type ServiceSettings, usualPorts } from './settings.ts';
import { supervise, type Supervised } from './supervised.ts';

export interface RedisService {
  readonly url: string;
  /** Absent when REDIS_URL named one that is not ours. */
  readonly process?: Supervised;
}

export async function startRedis(settings: ServiceSettings): Promise<RedisService> {
  const given = settings.env['REDIS_URL'];
  if (given) {
    await checkForeignRedis(given, settings.progress);
    return { url: given };
  }
  const server = await findRedisServer(settings);
  const port = await stepAround('Redis', settings.ports?.redis ?? usualPorts.redis, settings.progress.say);
  const url = `redis://127.0.0.1:${port}`;
  const folder = join(settings.home, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const process = await supervise({
    name: 'redis',
    ...dieWithParent(settings.env, server, redisArguments(port)),
    cwd: folder,
    logFile: join(settings.home, 'logs', 'redis.log'),
    pidFile: join(settings.home, 'run', 'redis.pid'),
    ready: () => answers(url),
    restartDelayMs: settings.restartDelayMs,
    onRestart: (reason) => settings.onRestart?.('redis', reason),
  });
  return { url, process };
}

/** Every write is on disk before it is answered, nothing is evicted, nobody but this machine gets in. */
function redisArguments(port: number): string[] {
  const options = {
    bind: '127.0.0.1',
    port: String(port),
    dir: '.',
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}

async function findRedisServer({ env, progress }: ServiceSettings): Promise<string> {
  const found = findOnPath(env, 'redis-server', 'valkey-server');
  if (found !== undefined) return found;
  const apt = findOnPath(env, 'apt-get');
  if (apt !== undefined && isRoot()) {
    await progress
      .step('Installing Redis with apt-get', () => installRedis(apt, env))
      .catch((error: unknown) => {
        throw new ServiceError(
          `Redis could not be installed with apt-get. Install redis-server or set REDIS_URL. ${String(error)}`,
        );
      });
    const installed = findOnPath({ PATH: `${env['PATH']}:/usr/bin:/usr/sbin` }, 'redis-server');
    if (installed !== undefined) return installed;
  }
  throw new ServiceError(
    'Redis was not found and cannot be installed without root: install redis-server or valkey-server, or set REDIS_URL to one that runs.',
  );
}

/** While this file forbids it, Debian packages start no daemon when they are installed. */
const daemonPolicy = '/usr/sbin/policy-rc.d';

async function installRedis(apt: string, env: NodeJS.ProcessEnv): Promise<void> {
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  const ours = !existsSync(daemonPolicy);
  if (ours) writeFileSync(daemonPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await runTool(apt, ['update', '-qq'], quiet);
    await runTool(apt, ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], quiet);
  } finally {
    if (ours) rmSync(daemonPolicy, { force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  return withRedis(url, async (redis) => (await redis.ping()) === 'PONG').catch(() => false);
}

async function checkForeignRedis(url: string, progress: Progress): Promise<void> {
  const wrong = await withRedis(url, keepsEverything).catch((error: unknown) => {
    throw new ServiceError(
      `REDIS_URL does not answer (${error instanceof Error ? error.message : String(error)}). Start it, or unset REDIS_URL to use an embedded Redis.`,
    );
  });
  for (const line of wrong) progress.say(`Warning: this Redis ${line}`);
}

/** A hosted Redis may refuse CONFIG; then nothing is known and nothing is said. */
async function keepsEverything(redis: Redis): Promise<string[]> {
  await redis.ping();
  const read = async (name: string) => {
    const answer: unknown = await redis.config('GET', name).catch(() => undefined);
    return Array.isArray(answer) ? String(answer[1]) : undefined;
  };
  const warnings: string[] = [];
  const policy = await read('maxmemory-policy');
  if (policy !== undefined && policy !== 'noeviction')
    warnings.push(`may evict keys (maxmemory-policy ${policy}); set noeviction.`);
  if ((await read('appendonly')) === 'no')
    warnings.push('keeps no append-only file; an accepted event may be lost with it.');
  return warnings;
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
