import { mkdirSync } from 'node:fs';
import type { ServiceSettings } from './settings.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Supervised } from './supervised.ts';
import { startTemporal } from './temporal.ts';

export interface Services {
  readonly temporalAddress: string;
  readonly temporalUiUrl?: string;
  readonly namespace: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Those that we started; foreign ones are left alone. */
  readonly processes: readonly Supervised[];
  /** Temporal first, as it is the one that calls for work, then Redis, then Postgres. */
  stop(): Promise<void>;
}

/** Finds or starts all three, at the same time. When one cannot be had, the others are stopped and its sentence is thrown. */
export async function startServices(settings: ServiceSettings): Promise<Services> {
  mkdirSync(settings.home, { recursive: true, mode: 0o755 });
  const { progress } = settings;
  const [temporal, redis, postgres] = await Promise.allSettled([
    progress.step('Starting Temporal', () => startTemporal(settings)),
    progress.step('Starting Redis', () => startRedis(settings)),
    progress.step('Starting Postgres', () => startPostgres(settings)),
  ]);
  const started = [temporal, redis, postgres].flatMap((result) =>
    result.status === 'fulfilled' && result.value.process !== undefined ? [result.value.process] : [],
  );
  const stop = async () => {
    for (const process of started) await process.stop();
  };
  if (temporal.status === 'fulfilled' && redis.status === 'fulfilled' && postgres.status === 'fulfilled') {
    const { address, namespace, uiUrl } = temporal.value;
    return {
      temporalAddress: address,
      ...(uiUrl === undefined ? {} : { temporalUiUrl: uiUrl }),
      namespace,
      databaseUrl: postgres.value.url,
      redisUrl: redis.value.url,
      processes: started,
      stop,
    };
  }
  await stop();
  throw [temporal, redis, postgres].find((result) => result.status === 'rejected')?.reason;
}
