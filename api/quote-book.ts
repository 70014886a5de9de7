import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { LRUCache } from 'lru-cache';
import { heldQuote, holdQuotes } from '../db/pending-quotes.ts';
import {
  insertQuote,
  insertQuotes,
  type NewQuote,
  type QuoteRow,
  type QuoteTimes,
  quoteLifetimeMs,
  readQuote,
  type StoredQuote,
  storePendingQuotes,
} from '../db/quotes.ts';
import type { MarketId } from '../domain/ids.ts';
import type { DatabaseClock } from './database-clock.ts';
import { type Guard, isBadRow } from './guard.ts';
import { Problem } from './problem.ts';

/** Where a quote was put before it was answered. */
export type QuoteKept = 'database' | 'pending' | 'memory';

export interface Issued extends QuoteTimes {
  readonly kept: QuoteKept;
}

export interface QuoteBookOptions {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly postgresGuard: Guard;
  readonly redisGuard: Guard;
  readonly clock: DatabaseClock;
  /** The markets whose pending quotes a recorder reads. */
  readonly markets: () => readonly MarketId[];
  readonly log: Logger;
}

interface Waiting {
  readonly quote: NewQuote;
  readonly resolve: (issued: Issued) => void;
  readonly reject: (error: unknown) => void;
}

const mostPerCommit = 200;
const mostCommitsAtOnce = 2;
const mostWaiting = 5_000;
const mostInMemory = 10_000;

/** Commits quotes before they are answered; requests of the same milliseconds share one statement. */
export class QuoteBook {
  readonly #options: QuoteBookOptions;
  #waiting: Waiting[] = [];
  #committing = 0;
  #scheduled = false;
  /** Given out while both stores were away; written as soon as the database answers again. */
  readonly #unsaved = new LRUCache<string, QuoteRow>({ max: mostInMemory, ttl: 24 * 3_600_000 });

  constructor(options: QuoteBookOptions) {
    this.#options = options;
  }

  /** Resolves once the quote is committed, or held elsewhere while the database is away. */
  issue(quote: NewQuote): Promise<Issued> {
    if (this.#waiting.length >= mostWaiting) throw new Problem('overloaded', { retryAfterSeconds: 1 });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ quote, resolve, reject });
      this.#schedule();
    });
  }

  /** A quote of the database, of Redis while it waits there, or of this process; `store-unavailable` when none can be sure. */
  async find(quoteId: string): Promise<StoredQuote | undefined> {
    const { pool, postgresGuard } = this.#options;
    const inMemory = this.#unsaved.get(quoteId);
    if (inMemory !== undefined) return this.#open(inMemory);
    const stored = await attempt(() => postgresGuard.run(() => readQuote(pool, quoteId)));
    if (stored.value !== undefined) return stored.value;
    const held = await attempt(() => this.#held(quoteId));
    if (held.value !== undefined) return this.#open(held.value);
    if (stored.failed) {
      const { retryAfterSeconds } = postgresGuard;
      throw new Problem('store-unavailable', { retryAfterSeconds, cause: stored.error });
    }
    return undefined;
  }

  /** Writes what only this process knows; called when the database has answered. */
  async saveUnsaved(): Promise<void> {
    const rows = [...this.#unsaved.values()];
    for (let i = 0; i < rows.length; i += mostPerCommit) {
      const some = rows.slice(i, i + mostPerCommit);
      await storePendingQuotes(this.#options.pool, some);
      for (const row of some) this.#unsaved.delete(row.quoteId);
    }
  }

  async #held(quoteId: string): Promise<QuoteRow | undefined> {
    const { redis, redisGuard } = this.#options;
    if (redis.status !== 'ready') throw new Error('Redis is away');
    return redisGuard.run(() => heldQuote(redis, this.#options.markets(), quoteId));
  }

  #open(row: QuoteRow): StoredQuote {
    return { ...row, acceptedAtMs: null, expired: row.validUntilMs <= this.#options.clock.now() };
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing >= mostCommitsAtOnce || this.#waiting.length === 0) return;
    this.#scheduled = true;
    // After the other requests of this turn of the event loop have joined.
    setImmediate(() => {
      this.#scheduled = false;
      void this.#commit(this.#waiting.splice(0, mostPerCommit));
    });
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    this.#committing += 1;
    try {
      await this.#commitTogether(batch);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#committing -= 1;
      this.#schedule();
    }
  }

  async #commitTogether(batch: readonly Waiting[]): Promise<void> {
    const { pool, postgresGuard, log } = this.#options;
    const rows = batch.map(({ quote }) => quote);
    try {
      const times = await postgresGuard.run(() => insertQuotes(pool, rows));
      for (const { resolve } of batch) resolve({ ...times, kept: 'database' });
    } catch (error) {
      if (isBadRow(error)) {
        log.warn({ err: error, quotes: batch.length }, 'a batch of quotes was refused, committing one by one');
        await Promise.all(batch.map((one) => this.#commitAlone(one)));
      } else {
        await this.#hold(batch);
      }
    }
  }

  async #commitAlone({ quote, resolve, reject }: Waiting): Promise<void> {
    try {
      const times = await this.#options.postgresGuard.run(() => insertQuote(this.#options.pool, quote));
      resolve({ ...times, kept: 'database' });
    } catch (error) {
      reject(error);
    }
  }

  /** The database is away: Redis keeps the quotes for the recorder, and if that is away too, this process does. */
  async #hold(batch: readonly Waiting[]): Promise<void> {
    this.#options.clock.suspect();
    const issuedAtMs = this.#options.clock.now();
    const times: QuoteTimes = { issuedAtMs, validUntilMs: issuedAtMs + quoteLifetimeMs };
    for (const marketId of new Set(batch.map(({ quote }) => quote.marketId))) {
      const some = batch.filter(({ quote }) => quote.marketId === marketId);
      const rows = some.map(({ quote }) => ({ ...quote, ...times }));
      const kept = await this.#holdInRedis(marketId, rows);
      if (kept === 'memory') for (const row of rows) this.#unsaved.set(row.quoteId, row);
      for (const { resolve } of some) resolve({ ...times, kept });
    }
  }

  async #holdInRedis(marketId: string, rows: readonly QuoteRow[]): Promise<QuoteKept> {
    const { redis, redisGuard, markets, log } = this.#options;
    const market = markets().find((served) => served === marketId);
    if (market === undefined || redis.status !== 'ready') return 'memory';
    try {
      await redisGuard.run(() => holdQuotes(redis, market, rows));
      return 'pending';
    } catch (error) {
      log.warn({ err: error, quotes: rows.length }, 'quotes are held in memory only');
      return 'memory';
    }
  }
}

async function attempt<T>(
  work: () => Promise<T>,
): Promise<{ value?: T | undefined; failed: boolean; error?: unknown }> {
  try {
    return { value: await work(), failed: false };
  } catch (error) {
    return { failed: true, error };
  }
}
