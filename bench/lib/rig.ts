import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { createPool, createRedis } from '../../platform/connections.ts';
import { ensureKeys, type Keys } from '../../platform/keys.ts';
import { projectRoot } from '../../platform/paths.ts';
import { freePort } from '../../services/ports.ts';
import { startPostgres } from '../../services/postgres.ts';
import { prepareDatabase } from '../../services/prepare.ts';
import { createProgress, type Progress } from '../../services/progress.ts';
import { startRedis } from '../../services/redis.ts';
import { stopAll, supervise, type Supervised } from '../../services/supervised.ts';
import { startTemporal } from '../../services/temporal.ts';
import { memoryMb } from './process-figures.ts';

export interface RigOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Without Temporal nobody is signalled; a bench of the edges needs none. */
  readonly temporal: boolean;
  /** Markets that the workers serve. */
  readonly markets: string;
  /** Folder for CPU profiles of the processes, written when they end. */
  readonly profile?: string | undefined;
}

interface Wanted {
  readonly env: Readonly<Record<string, string>>;
  readonly ready: () => Promise<boolean>;
}

const always = () => Promise.resolve(true);

const nowhere = '127.0.0.1:9';
const stopOrder = ['load', 'api', 'ingestion', 'recorder', 'zones', 'temporal', 'redis', 'postgres'];
const foreign = ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'DATABASE_URL', 'REDIS_URL', 'EQUILIBRIUM_AUTH_KEYS'];

/** The embedded services on free ports in a temporary folder, and the processes of ours that a bench starts on them. */
export class Rig {
  readonly home: string;
  readonly keys: Keys;
  readonly redis: Redis;
  readonly pool: Pool;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly progress: Progress;
  readonly #env: NodeJS.ProcessEnv;
  readonly #flags: readonly string[];
  readonly #processes: Map<string, Supervised>;

  private constructor(parts: {
    home: string;
    keys: Keys;
    urls: { redis: string; database: string; temporal: string };
    env: NodeJS.ProcessEnv;
    flags: readonly string[];
    progress: Progress;
    processes: readonly Supervised[];
  }) {
    this.home = parts.home;
    this.keys = parts.keys;
    this.progress = parts.progress;
    this.redisUrl = parts.urls.redis;
    this.databaseUrl = parts.urls.database;
    this.temporalAddress = parts.urls.temporal;
    this.redis = createRedis(this.redisUrl);
    this.pool = createPool(this.databaseUrl, { max: 4 });
    this.#env = parts.env;
    this.#flags = parts.flags;
    this.#processes = new Map(parts.processes.map((one) => [one.name, one]));
  }

  static async open({ env: given, temporal, markets, profile }: RigOptions): Promise<Rig> {
    const home = mkdtempSync(join(tmpdir(), 'equilibrium-bench-'));
    try {
      // Postgres runs as another user and must get in.
      chmodSync(home, 0o755);
      const progress = createProgress();
      const env = Object.fromEntries(Object.entries(given).filter(([name]) => !foreign.includes(name)));
      const settings = { home, env, progress, ports: { temporal: 0, temporalUi: 0, postgres: 0, redis: 0 } };
      const postgres = await progress.step('Starting Postgres', () => startPostgres(settings));
      const redis = await progress.step('Starting Redis', () => startRedis(settings));
      const server = temporal ? await progress.step('Starting Temporal', () => startTemporal(settings)) : undefined;
      await prepareDatabase(postgres.url, progress);
      const urls = { redis: redis.url, database: postgres.url, temporal: server?.address ?? nowhere };
      const processes = [postgres.process, redis.process, server?.process].filter((one) => one !== undefined);
      const keys = await ensureKeys(join(home, 'keys.json'), { embedded: true });
      const childEnv = {
        ...env,
        TEMPORAL_ADDRESS: urls.temporal,
        DATABASE_URL: urls.database,
        REDIS_URL: urls.redis,
        EQUILIBRIUM_HOME: home,
        EQUILIBRIUM_MARKETS: markets,
        LOG_LEVEL: 'info',
      };
      const flags = profilingFlags(profile);
      return new Rig({ home, keys, urls, env: childEnv, flags, progress, processes });
    } catch (error) {
      await Rig.clear(home);
      throw error;
    }
  }

  /** Stops everything that this process has started, and removes the folder. */
  static async clear(home: string): Promise<void> {
    await stopAll(stopOrder);
    rmSync(home, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.pool.end().catch(() => {});
    await Rig.clear(this.home);
  }

  /** One of our own entries, by its path below `dist/`. */
  async start(name: string, script: string, { env = {}, ready = always }: Partial<Wanted> = {}): Promise<void> {
    const child = await supervise({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', ...this.#flags, join(projectRoot(), 'dist', script)],
      env: { ...this.#env, ...env },
      logFile: join(this.home, 'logs', `${name}.log`),
      pidFile: join(this.home, 'run', `${name}.pid`),
      channel: true,
      ready,
      onRestart: (why) => this.#fell(name, why),
    });
    this.#processes.set(name, child);
  }

  /** One that serves HTTP; answers its address once `ready` (a path) answers 2xx. */
  async serve(name: string, script: string, ready: string): Promise<string> {
    const port = await freePort(0);
    const url = `http://127.0.0.1:${port}`;
    const answers = () => fetch(new URL(ready, url), { signal: AbortSignal.timeout(3_000) }).then(({ ok }) => ok);
    await this.start(name, script, { env: { PORT: String(port) }, ready: answers });
    return url;
  }

  /** One with a metrics port; answers the address of its figures. */
  async startMeasured(name: string, script: string): Promise<string> {
    const port = await freePort(0);
    await this.start(name, script, { env: { METRICS_PORT: String(port), EQUILIBRIUM_CONSUMER: `bench-${name}` } });
    return `http://127.0.0.1:${port}/metrics`;
  }

  pid(name: string): number {
    const pid = this.#processes.get(name)?.pid();
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  pids(...names: readonly string[]): Record<string, number> {
    return Object.fromEntries(names.map((name) => [name, this.pid(name)]));
  }

  /** `redis 40 MB, zones 510 MB`, of everything that runs. */
  memory(): string {
    return [...this.#processes.keys()].map((name) => `${name} ${Math.round(memoryMb(this.pid(name)))} MB`).join(', ');
  }

  #fell(name: string, why: string): void {
    this.progress.say(`${name} ended (${why}) and was started again: the figures of this run are worth nothing.`);
    process.exitCode = 1;
  }
}

function profilingFlags(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  mkdirSync(folder, { recursive: true });
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}
