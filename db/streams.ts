import type { ChainableCommander, Redis } from 'ioredis';
import { driverTtlMs } from '../domain/config.ts';
import type { DemandEvent, LocationEvent } from '../domain/events.ts';
import { type MarketId, parseMarketId } from '../domain/ids.ts';
import { loadScript } from './lua.ts';
import { driverMarketKey, groups, type RedisKeys, redisKeys } from './redis-keys.ts';

/** One entry of a stream: flat list of field, value, field, value … */
export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly string[];
}

export function fieldOf(entry: StreamEntry, name: string): string | undefined {
  for (let i = 0; i + 1 < entry.fields.length; i += 2) {
    if (entry.fields[i] === name) return entry.fields[i + 1];
  }
  return undefined;
}

/**
 * Stores fixes of one market; returns the id of each entry, in order. When it resolves, everything is in the stream.
 * When it rejects, some may be: sending all again is harmless. Drivers seen last in another market are taken out there.
 */
export async function appendLocations(
  redis: Redis,
  market: MarketId,
  events: readonly LocationEvent[],
): Promise<string[]> {
  const newest = new Map(events.map((event) => [event.driverId, event]));
  const [ids, crossed] = await Promise.all([
    append(redis, redisKeys(market).streams.locations, events),
    moveDrivers(redis, market, newest),
  ]);
  const crossings = crossed.map(async ([from, event]) => {
    const left: LocationEvent = { ...event, kind: 'left', eventId: `${event.eventId}:left` };
    await append(redis, redisKeys(from).streams.locations, [left]);
  });
  await Promise.all(crossings);
  return ids;
}

export async function appendLocation(redis: Redis, market: MarketId, event: LocationEvent): Promise<string> {
  const [id] = await appendLocations(redis, market, [event]);
  if (id === undefined) throw new Error('Redis answered no id');
  return id;
}

/** Stores demand events of one market; returns the id of each entry, in order. Rejects like `appendLocations`. */
export async function appendDemand(redis: Redis, market: MarketId, events: readonly DemandEvent[]): Promise<string[]> {
  return append(redis, redisKeys(market).streams.demand, events);
}

async function append(redis: Redis, stream: string, events: readonly object[]): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const event of events) pipeline.xadd(stream, '*', 'event', JSON.stringify(event));
  return (await resultsOf(pipeline)).map(String);
}

/** Points drivers to this market; answers with the market each came from, for those who crossed a border. */
async function moveDrivers(
  redis: Redis,
  market: MarketId,
  events: ReadonlyMap<string, LocationEvent>,
): Promise<[MarketId, LocationEvent][]> {
  const pipeline = redis.pipeline();
  for (const driverId of events.keys()) {
    pipeline.set(driverMarketKey(driverId), market, 'EX', driverTtlMs / 1000, 'GET');
  }
  const before = await resultsOf(pipeline);
  return [...events.values()].flatMap((event, i): [MarketId, LocationEvent][] => {
    const from = typeof before[i] === 'string' ? parseMarketId(before[i]) : undefined;
    return from === undefined || from === market ? [] : [[from, event]];
  });
}

async function resultsOf(pipeline: ChainableCommander): Promise<unknown[]> {
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}

/** Which groups read which stream of a market. */
export function consumersOf(
  keys: RedisKeys,
): readonly { readonly stream: string; readonly groups: readonly string[] }[] {
  const { locations, demand, decisions, quotesPending } = keys.streams;
  return [
    { stream: locations, groups: [groups.live, groups.history] },
    { stream: demand, groups: [groups.live, groups.history] },
    { stream: decisions, groups: [groups.recorder] },
    { stream: quotesPending, groups: [groups.recorder] },
  ];
}

/** Makes every missing group of the market, from the beginning of its stream: what stands there was read by nobody. */
export async function createGroups(redis: Redis, market: MarketId): Promise<void> {
  for (const { stream, groups: names } of consumersOf(redisKeys(market))) {
    for (const name of names) {
      try {
        await redis.xgroup('CREATE', stream, name, '0', 'MKSTREAM');
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
      }
    }
  }
}

export interface Reader {
  readonly group: string;
  readonly consumer: string;
  /** Most entries per stream and call. */
  readonly count: number;
}

/** New entries per stream; waits up to `blockMs` on a connection that does nothing else. */
export async function readGroup(
  redis: Redis,
  streams: readonly string[],
  { group, consumer, count }: Reader,
  blockMs: number,
): Promise<[stream: string, entries: StreamEntry[]][]> {
  const from = [...streams, ...streams.map(() => '>')];
  const answer: unknown = await redis.xreadgroup(
    'GROUP',
    group,
    consumer,
    'COUNT',
    count,
    'BLOCK',
    blockMs,
    'STREAMS',
    ...from,
  );
  if (!Array.isArray(answer)) return [];
  return answer.map(([stream, entries]: [string, unknown]) => [stream, entriesOf(entries)]);
}

/** Takes over what other consumers left unacknowledged for `minIdleMs`, batch after batch until the end of the list. */
export async function* claimAbandoned(
  redis: Redis,
  stream: string,
  { group, consumer, count }: Reader,
  minIdleMs: number,
): AsyncGenerator<StreamEntry[], void> {
  let cursor = '0-0';
  do {
    const answer = await redis.xautoclaim(stream, group, consumer, minIdleMs, cursor, 'COUNT', count);
    const [next, entries] = answer as [string, unknown];
    const claimed = entriesOf(entries);
    if (claimed.length > 0) yield claimed;
    cursor = next;
  } while (cursor !== '0-0');
}

export async function acknowledge(redis: Redis, stream: string, group: string, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await redis.xack(stream, group, ...ids);
}

function entriesOf(list: unknown): StreamEntry[] {
  if (!Array.isArray(list)) return [];
  // An entry that was trimmed while it was pending comes without fields.
  return list.flatMap((item: [string, string[] | null] | null) =>
    item === null ? [] : [{ id: item[0], fields: item[1] ?? [] }],
  );
}

const trimScript = loadScript('trim');

/** The decisions stream is kept this long besides, so that the recent past can be read without Postgres. */
export const decisionsKeptMs = 24 * 3_600_000;

/** Trims every stream of the market below what any of its groups still needs; returns how many entries went. */
export async function trimStreams(redis: Redis, market: MarketId, nowMs: number): Promise<number> {
  const keys = redisKeys(market);
  let trimmed = 0;
  for (const { stream, groups: names } of consumersOf(keys)) {
    const keep = stream === keys.streams.decisions ? `${nowMs - decisionsKeptMs}-0` : '';
    trimmed += Math.max(0, Number(await trimScript.run(redis, [stream], [keep, ...names])));
  }
  return trimmed;
}

const forgetScript = loadScript('forget-consumers');

/** Removes consumers that hold nothing and have been silent for `idleMs`; every start of a process adds one. */
export async function forgetConsumers(redis: Redis, market: MarketId, idleMs: number): Promise<number> {
  let removed = 0;
  for (const { stream, groups: names } of consumersOf(redisKeys(market))) {
    removed += Number(await forgetScript.run(redis, [stream], [idleMs, ...names]));
  }
  return removed;
}
