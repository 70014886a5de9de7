import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import { parseEntry } from '../../db/board.ts';
import { releaseLease, takeLease } from '../../db/lease.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import type { MarketId } from '../../domain/ids.ts';
import type { Logger } from '../../platform/log.ts';
import { Pacer } from '../pacer.ts';
import { Signaller } from './signaller.ts';
import { SignalWindow } from './signal-window.ts';

export interface SignallingDeps {
  readonly market: MarketId;
  readonly redis: Redis;
  /** A connection of its own for Pub/Sub. */
  readonly subscriber: Redis;
  readonly client: Client;
  readonly taskQueue: string;
  /** Names this process in the lease. */
  readonly holder: string;
  readonly log: Logger;
  readonly onSent?: (zones: number) => void;
  readonly onWindow?: (ms: number) => void;
}

export interface Signalling {
  /** Ingestion has changed something: look now rather than at the next poll. */
  nudge(): void;
  stop(): Promise<void>;
}

const leaseMs = 5_000;
const leaseEveryMs = 1_500;
const pollMs = 100;
const leastPauseMs = 20;

/** Runs the signaller of a market while this process holds the market's lease. */
export function startSignalling(deps: SignallingDeps): Signalling {
  const { market, redis, holder, log } = deps;
  const lease = redisKeys(market).lease('signaller');
  const window = new SignalWindow();
  const signaller = new Signaller({ ...deps, clock: Date.now, window, onError: warnOnce(log) });
  const pacer = new Pacer(leastPauseMs);
  const ending = new AbortController();
  void followPrices(deps, window).catch((error: unknown) => log.error({ error: String(error) }, 'prices not followed'));

  async function run(): Promise<void> {
    let held = false;
    let leaseAt = 0;
    while (!ending.signal.aborted) {
      const nowMs = Date.now();
      try {
        if (nowMs - leaseAt >= leaseEveryMs) {
          held = await takeLease(redis, lease, holder, leaseMs);
          leaseAt = nowMs;
          window.adjust();
          deps.onWindow?.(window.lengthMs);
        }
        if (held) await signaller.round();
      } catch (error) {
        held = false;
        log.warn({ error: String(error) }, 'signaller round failed');
      }
      await pacer.pause(held ? pollMs : leaseEveryMs);
    }
    await releaseLease(redis, lease, holder).catch(() => {});
  }

  const running = run();
  return {
    nudge: () => pacer.nudge(),
    async stop() {
      ending.abort();
      pacer.nudge();
      await running;
      deps.subscriber.disconnect();
    },
  };
}

/** Ages of what observations caused at once; a change that waited for its tick or its cooldown says nothing of load. */
async function followPrices({ subscriber, market }: SignallingDeps, window: SignalWindow): Promise<void> {
  const channel = redisKeys(market).channels.prices;
  subscriber.on('message', (from: string, text: string) => {
    if (from !== channel) return;
    const { decision, asOfMs } = parseEntry(text);
    const fresh = decision !== null && asOfMs - decision.decidedAtMs < 2_000;
    if (fresh && decision.trigger === 'observation') window.age(Date.now() - decision.observedAtMs);
  });
  await subscriber.subscribe(channel);
}

/** An outage is one line a minute, not one per zone. */
function warnOnce(log: Logger): (error: unknown) => void {
  let quietUntil = 0;
  return (error) => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + 60_000;
    log.warn({ error: String(error) }, 'zones could not be signalled');
  };
}
