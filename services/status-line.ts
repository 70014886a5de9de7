import { setTimeout as sleep } from 'node:timers/promises';
import type { MarketId } from '../domain/ids.ts';
import { loadMarkets } from '../db/markets.ts';
import { createPool, createRedis } from '../platform/connections.ts';
import { statusLine } from './banner.ts';
import { readFigures } from './figures.ts';
import type { Services } from './services.ts';

export interface StatusOptions {
  readonly quiet: boolean;
  readonly ended: AbortSignal;
  readonly everySecond: () => void;
}

/** Seconds between two lines: a terminal shows one that is redrawn, a log gets few. */
const onTerminal = 2;
const inLog = 30;

/** Resolves after `ended`, once nothing of it is left. */
export async function showStatus(services: Services, { quiet, ended, everySecond }: StatusOptions): Promise<void> {
  const pool = createPool(services.databaseUrl, { max: 1 });
  const redis = createRedis(services.redisUrl, { failFast: true, name: 'status' });
  try {
    const markets: MarketId[] = (await loadMarkets(pool)).map(({ marketId }) => marketId);
    const terminal = process.stdout.isTTY;
    for (let second = 0; !ended.aborted; second += 1) {
      everySecond();
      if (!quiet && second % (terminal ? onTerminal : inLog) === 0) {
        draw(statusLine(await readFigures(redis, pool, markets)), terminal);
      }
      await sleep(1_000, undefined, { signal: ended }).catch(() => {});
    }
  } finally {
    redis.disconnect();
    await pool.end();
  }
}

function draw(line: string, terminal: boolean): void {
  process.stdout.write(terminal ? `\r\u001b[2K${line}` : `${line}\n`);
}
