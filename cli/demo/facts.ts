import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import {
  type DecidedMultipliers,
  decidedSince,
  demandNotRecorded,
  fixesNotRecorded,
  leftToDo,
  lettersSince,
  pricedSince,
} from '../../db/demo-report.ts';
import type { MarketId } from '../../domain/ids.ts';
import type { ApiClient } from './client.ts';
import type { PriceWatch } from './price-watch.ts';
import { eventIds, type RunIds } from './run-ids.ts';
import { givenQuote, type GivenQuote, type Sender } from './sender.ts';

export interface FactSources {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly client: ApiClient;
  readonly market: MarketId;
  readonly run: RunIds;
  readonly sender: Sender;
}

/** How many of the newest accepted events were looked up, and which of them were not found. */
export interface Looked {
  readonly checked: number;
  readonly missing: readonly string[];
}

export interface QuotesLooked {
  readonly checked: number;
  readonly unchanged: number;
  /** Ids of quotes that were not found, or came back with another fare, multiplier or version. */
  readonly changed: readonly string[];
}

/** What the stores say about a run. */
export interface Facts {
  readonly fixes: Looked;
  readonly requests: Looked;
  readonly letters: { readonly all: number; readonly matching: number };
  readonly zonesPriced: number;
  readonly decided: DecidedMultipliers;
  readonly quotes: QuotesLooked;
}

const looksPerCall = 5_000;
const quotesAtOnce = 8;
const betweenLooksMs = 500;

/** Two clean looks in a row, as a stream may be empty between two of its entries; answers what is left when it `isOver`. */
export async function untilQuiet(
  { redis, market }: Pick<FactSources, 'redis' | 'market'>,
  watch: PriceWatch,
  isOver: () => boolean,
): Promise<readonly string[]> {
  let clean = 0;
  for (;;) {
    const left = await leftToDo(redis, market).catch(() => ['Redis does not answer']);
    if (watch.waiting > 0) left.push(`${watch.waiting} ride requests wait for a price of their zone`);
    clean = left.length === 0 ? clean + 1 : 0;
    if (clean === 2 || isOver()) return left;
    await pause(betweenLooksMs);
  }
}

/** Rejects when Redis or Postgres cannot be asked; looks that have no time left are left out. */
export async function readFacts(sources: FactSources, isOver: () => boolean): Promise<Facts> {
  const { pool, redis, market, run, sender } = sources;
  const sentFixes = sender.keptFixes.items.map((n) => {
    const { atMs, ...ids } = eventIds.fix(run, n);
    return { ...ids, timestampMs: atMs };
  });
  const sentRequests = sender.keptRequests.items.map(([n, timestampMs]) => ({
    eventId: eventIds.request(run, n).eventId,
    timestampMs,
  }));
  return {
    requests: await lookUp(sentRequests, (events) => demandNotRecorded(pool, events), isOver),
    fixes: await lookUp(sentFixes, (fixes) => fixesNotRecorded(pool, fixes), isOver),
    letters: await lettersSince(redis, market, run.startMs, `"${run.prefix}-`),
    zonesPriced: await pricedSince(redis, market, run.startMs),
    decided: await decidedSince(pool, market, run.startMs),
    quotes: await lookAtQuotes(sources, isOver),
  };
}

async function lookUp<T>(
  sent: readonly T[],
  notFound: (some: readonly T[]) => Promise<readonly string[]>,
  isOver: () => boolean,
): Promise<Looked> {
  const missing: string[] = [];
  let checked = 0;
  // The newest first: when time is short, they are what matters.
  for (let end = sent.length; end > 0 && !isOver(); end -= looksPerCall) {
    const some = sent.slice(Math.max(0, end - looksPerCall), end);
    missing.push(...(await notFound(some)));
    checked += some.length;
  }
  return { checked, missing };
}

async function lookAtQuotes({ client, sender }: FactSources, isOver: () => boolean): Promise<QuotesLooked> {
  const limit = pLimit(quotesAtOnce);
  const changed: string[] = [];
  let unchanged = 0;
  const look = async (quote: GivenQuote) => {
    const outcome = await client.get(`/api/v1/pricing/quotes/${quote.quoteId}`, isOver);
    if (outcome.kind === 'given-up') return;
    const found = outcome.kind === 'answered' ? givenQuote(outcome.body) : undefined;
    if (found !== undefined && isSame(found, quote)) unchanged += 1;
    else changed.push(quote.quoteId);
  };
  await Promise.all(sender.quotes.items.map((quote) => limit(() => look(quote))));
  return { checked: unchanged + changed.length, unchanged, changed };
}

function isSame(one: GivenQuote, other: GivenQuote): boolean {
  return (
    one.quoteId === other.quoteId &&
    one.finalFareMinor === other.finalFareMinor &&
    one.multiplier === other.multiplier &&
    one.priceVersion === other.priceVersion
  );
}
