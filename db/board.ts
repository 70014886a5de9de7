import type { Redis } from 'ioredis';
import type { BoardEntry, Decision, Snapshot } from '../domain/decision.ts';
import { type MarketId, type ZoneKey, zoneKey } from '../domain/ids.ts';
import { loadScript } from './lua.ts';
import { type RedisKeys, redisKeys } from './redis-keys.ts';

/** `won` is false when another writer was first: `entry` is then what the board holds, to be adopted. */
export interface Published {
  readonly won: boolean;
  readonly entry: BoardEntry;
}

export type Refreshed =
  | { readonly kind: 'refreshed' }
  | { readonly kind: 'ahead'; readonly entry: BoardEntry }
  | { readonly kind: 'lost' };

const publishScript = loadScript('board-publish');
const refreshScript = loadScript('board-refresh');

/** A board entry in Redis is two lines of JSON: the state that ticks refresh, and the decision behind the price. */
export function parseEntry(text: string): BoardEntry {
  const cut = text.indexOf('\n');
  const state: Omit<BoardEntry, 'decision'> = JSON.parse(text.slice(0, cut));
  const decision: Decision | null = JSON.parse(text.slice(cut + 1));
  return { ...state, decision };
}

function stateText({ decision: _decision, ...state }: BoardEntry): string {
  return JSON.stringify(state);
}

function boardKeys(keys: RedisKeys, key: ZoneKey): string[] {
  return [keys.pricing(key), keys.priced, keys.active, keys.streams.decisions, keys.channels.prices];
}

/** Writes a version once: board, decisions stream and Pub/Sub in one call. Running it twice changes nothing. */
export async function publish(
  redis: Redis,
  market: MarketId,
  entry: BoardEntry & { readonly decision: Decision },
  snapshot: Snapshot | null,
): Promise<Published> {
  const key = zoneKey(entry.zoneId, entry.vehicleClass);
  const answer = await publishScript.run(redis, boardKeys(redisKeys(market), key), [
    key,
    entry.version,
    entry.asOfMs,
    stateText(entry),
    JSON.stringify(entry.decision),
    snapshot === null ? '' : JSON.stringify(snapshot),
  ]);
  const [won, text] = tuple(answer);
  return { won: won === 1, entry: parseEntry(text) };
}

/** Refreshes counts and `asOf` under the same version. `lost` asks the zone to publish its last decision again. */
export async function refresh(
  redis: Redis,
  market: MarketId,
  entry: BoardEntry,
  snapshot: Snapshot,
): Promise<Refreshed> {
  const key = zoneKey(entry.zoneId, entry.vehicleClass);
  const answer = await refreshScript.run(redis, boardKeys(redisKeys(market), key), [
    key,
    entry.version,
    entry.asOfMs,
    stateText(entry),
    JSON.stringify(snapshot),
    entry.counts.asleep ? '1' : '0',
  ]);
  const [code, text] = tuple(answer);
  if (code === 1) return { kind: 'refreshed' };
  return code === 0 ? { kind: 'ahead', entry: parseEntry(text) } : { kind: 'lost' };
}

/** The entries of these zones in the order asked; undefined where the board has none. */
export async function readEntries(
  redis: Redis,
  market: MarketId,
  zones: readonly ZoneKey[],
): Promise<(BoardEntry | undefined)[]> {
  if (zones.length === 0) return [];
  const keys = redisKeys(market);
  const texts = await redis.mget(zones.map((zone) => keys.pricing(zone)));
  return texts.map((text) => (text === null ? undefined : parseEntry(text)));
}

/** Every zone that has an entry, as `<zone>:<class>`. */
export async function pricedZones(redis: Redis, market: MarketId): Promise<string[]> {
  return redis.zrange(redisKeys(market).priced, '0', '-1');
}

function tuple(answer: unknown): [number, string] {
  if (!Array.isArray(answer) || typeof answer[0] !== 'number' || typeof answer[1] !== 'string') {
    throw new Error(`unexpected answer of the price board: ${JSON.stringify(answer)}`);
  }
  return [answer[0], answer[1]];
}

/** Like `readEntries`, but without the decisions: neighbours are asked for their counts alone. */
export async function readCounts(
  redis: Redis,
  market: MarketId,
  zones: readonly string[],
): Promise<(Omit<BoardEntry, 'decision'> | undefined)[]> {
  if (zones.length === 0) return [];
  const keys = redisKeys(market);
  const texts = await redis.mget(zones.map((zone) => keys.pricing(zone)));
  return texts.map((text) => (text === null ? undefined : JSON.parse(text.slice(0, text.indexOf('\n')))));
}
