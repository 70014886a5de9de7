import type { Client } from '@temporalio/client';
import type { Express } from 'express';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Pool } from 'pg';
import type { Keys } from '../platform/keys.ts';
import { createTokenVerifier } from '../platform/tokens.ts';
import { type AppDeps, createApp } from './app.ts';
import { createRiderHash } from './auth.ts';
import { DatabaseClock } from './database-clock.ts';
import { EventLog } from './event-log.ts';
import { Geography } from './geography.ts';
import { createGuard, isPostgresOutage, postgresGuardOptions, redisGuardOptions } from './guard.ts';
import type { Lifecycle } from './health.ts';
import { PriceBoard } from './price-board.ts';
import { Probe } from './probe.ts';
import { Prices } from './prices.ts';
import { QuoteBook } from './quote-book.ts';

export interface ServiceDeps {
  readonly pool: Pool;
  /** Fails fast: no queue while disconnected. */
  readonly redis: Redis;
  /** Patient, for SUBSCRIBE alone. */
  readonly subscriber: Redis;
  readonly temporal?: Client | undefined;
  readonly pingTemporal?: (() => Promise<unknown>) | undefined;
  readonly temporalUi?: (() => string | undefined) | undefined;
  readonly keys: Pick<Keys, 'verification' | 'quoteSigning' | 'riderHash'>;
  readonly log: Logger;
  /** Where waiting as long as in production would be a waste: in tests. */
  readonly pace?: { readonly sweepMs?: number; readonly reloadMs?: number; readonly retryMs?: number };
}

export interface ApiService {
  readonly app: Express;
  readonly deps: AppDeps;
  readonly lifecycle: Lifecycle;
  readonly board: PriceBoard;
  /** Loads map and prices and keeps them fresh. Resolves after the first attempt, also without any service. */
  start(): Promise<void>;
  stop(): void;
}

/** Puts the parts of the API together over connections that somebody else opens and closes. */
export function createApiService(given: ServiceDeps): ApiService {
  const { pool, redis, subscriber, keys, log, pace = {} } = given;
  const redisGuard = createGuard('redis', redisGuardOptions, log);
  const postgresGuard = createGuard('postgres', { ...postgresGuardOptions, isOutage: isPostgresOutage }, log);
  // A new connection proves more than any half-open probe could.
  redis.on('ready', () => redisGuard.reset());
  const board = new PriceBoard({
    redis,
    subscriber,
    log,
    ...pick(pace.sweepMs, (sweepMs) => ({ sweepMs })),
    // After a stall no connection is new, but what was stalled answers.
    onSweep: () => redisGuard.reset(),
  });
  const geography = new Geography({ pool, log, ...pace, onLoad: (markets) => board.follow(markets) });
  const clock = new DatabaseClock({
    pool,
    ...pick(pace.retryMs, (retryMs) => ({ retryMs })),
    onAnswer: () => {
      postgresGuard.reset();
      book.saveUnsaved().catch((error: unknown) => log.warn({ err: error }, 'quotes of the outage wait on'));
    },
  });
  const book = new QuoteBook({
    pool,
    redis,
    postgresGuard,
    redisGuard,
    clock,
    log,
    markets: () => geography.markets(),
  });
  const lifecycle: Lifecycle = { draining: false };
  const temporalProbe = new Probe(given.pingTemporal);
  const deps: AppDeps = {
    log,
    verifyToken: createTokenVerifier(keys),
    lifecycle,
    geography,
    board,
    prices: new Prices({
      board,
      redis,
      pool,
      redisGuard,
      postgresGuard,
      limits: (...zone) => geography.limits(...zone),
    }),
    book,
    events: new EventLog({ redis, redisGuard, log }),
    riderHash: createRiderHash(keys.riderHash.secret),
    quoteKeys: [keys.quoteSigning],
    temporal: given.temporal,
    temporalProbe,
    temporalUi: given.temporalUi ?? (() => undefined),
    redis,
    redisGuard,
    postgresGuard,
    clock,
  };
  return {
    app: createApp(deps),
    deps,
    lifecycle,
    board,
    async start() {
      temporalProbe.start();
      await Promise.all([geography.start(), clock.start()]);
      await board.sweep();
    },
    stop() {
      geography.stop();
      clock.stop();
      temporalProbe.stop();
      board.stop();
    },
  };
}

function pick<T, R extends object>(value: T | undefined, make: (value: T) => R): R | Record<string, never> {
  return value === undefined ? {} : make(value);
}
