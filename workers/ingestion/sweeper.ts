import type { Redis } from 'ioredis';
import { sweep } from '../../db/live-state.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import type { MarketId } from '../../domain/ids.ts';
import type { Logger } from '../../platform/log.ts';
import type { IngestionMetrics } from './metrics.ts';

export interface SweeperDeps {
  readonly redis: Redis;
  readonly market: MarketId;
  readonly metrics: IngestionMetrics;
  readonly log: Logger;
  readonly onApplied: () => void;
}

export interface Sweeper {
  /** Judge the feed again within a second instead of at the end of the period. */
  readonly soon: () => void;
  stop(): Promise<void>;
}

const soonMs = 1_000;

/** Expires silent drivers of a market every decay period and judges its feed. */
export function startSweeper({ redis, market, metrics, log, onApplied }: SweeperDeps): Sweeper {
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let running = Promise.resolve();
  let stopped = false;
  let asked = false;

  function plan(inMs: number): void {
    if (stopped) return;
    clearTimeout(timer);
    dueAt = Date.now() + inMs;
    timer = setTimeout(() => {
      running = run();
    }, inMs);
  }

  async function run(): Promise<void> {
    asked = false;
    try {
      const { expired, freshDrivers, feed, changed } = await sweep(redis, market);
      metrics.freshDrivers.set({ market }, freshDrivers);
      metrics.feedHealthy.set({ market }, feed === 'healthy' ? 1 : 0);
      metrics.events.inc({ stream: 'driver-locations', outcome: 'expired' }, expired);
      if (changed.length > 0) onApplied();
    } catch (error) {
      if (!stopped) log.warn({ market, error: String(error) }, 'sweep failed');
    }
    // Who asked while it ran may know more than it saw.
    plan(asked ? soonMs : decayPeriodMs);
  }

  plan(0);
  return {
    soon: () => {
      asked = true;
      if (dueAt - Date.now() > soonMs) plan(soonMs);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
