import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { parseMarketId, type MarketId } from '../domain/ids.ts';

export { freshDatabase, type TestDatabase } from './database.ts';

export interface TestServices {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** A runnable time-skipping Temporal server; absent where Java or Maven is missing. */
  readonly timeSkippingServer?: string;
}

export function parseServices(text: string): TestServices {
  const { redisUrl, databaseUrl, temporalAddress, timeSkippingServer }: Partial<TestServices> = JSON.parse(text);
  if (redisUrl === undefined || databaseUrl === undefined || temporalAddress === undefined) {
    throw new Error('The services file must name redisUrl, databaseUrl and temporalAddress.');
  }
  return {
    redisUrl,
    databaseUrl,
    temporalAddress,
    ...(timeSkippingServer === undefined ? {} : { timeSkippingServer }),
  };
}

export function services(): TestServices {
  return inject('services');
}

/** A market id no other test uses, so its Redis keys and workflows are its own. */
export function freshMarketId(): MarketId {
  const id = parseMarketId(`t${randomBytes(5).toString('hex')}`);
  if (id === undefined) throw new Error('a fresh market id must parse');
  return id;
}

export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Repeats `look` until it neither throws nor answers undefined or false, and returns its answer.
 * Fails with the last error once `timeoutMs` has passed.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 25 }: EventuallyOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const until = Date.now() + timeoutMs;
  let last: unknown = new Error('nothing came');
  do {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  } while (Date.now() < until);
  throw new Error(`did not happen within ${timeoutMs} ms: ${last instanceof Error ? last.message : String(last)}`, {
    cause: last,
  });
}
