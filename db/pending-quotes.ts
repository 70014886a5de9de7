import type { Redis } from 'ioredis';
import type { MarketId } from '../domain/ids.ts';
import type { QuoteRow } from './quotes.ts';
import { redisKeys } from './redis-keys.ts';

/** A quote outlives its validity here, so that it can be found until the recorder has stored it. */
const keptSeconds = 86_400;

/** Holds quotes of one market that Postgres could not take: stream and key together, or neither. */
export async function holdQuotes(redis: Redis, market: MarketId, rows: readonly QuoteRow[]): Promise<void> {
  const keys = redisKeys(market);
  const transaction = redis.multi();
  for (const row of rows) {
    const text = JSON.stringify(row);
    transaction.xadd(keys.streams.quotesPending, '*', 'quote', text);
    transaction.set(keys.pendingQuote(row.quoteId), text, 'EX', keptSeconds);
  }
  const answers = await transaction.exec();
  if (answers === null) throw new Error('holding quotes was discarded');
  for (const [error] of answers) if (error !== null) throw error;
}

/** A held quote from whichever of these markets has it. */
export async function heldQuote(
  redis: Redis,
  markets: readonly MarketId[],
  quoteId: string,
): Promise<QuoteRow | undefined> {
  const texts = await Promise.all(markets.map((market) => redis.get(redisKeys(market).pendingQuote(quoteId))));
  const text = texts.find((found) => found !== null);
  if (text === undefined || text === null) return undefined;
  const row: QuoteRow = JSON.parse(text);
  return row;
}
