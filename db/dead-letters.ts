import type { Redis } from 'ioredis';
import type { MarketId } from '../domain/ids.ts';
import { loadScript } from './lua.ts';
import { redisKeys } from './redis-keys.ts';
import { fieldOf, type StreamEntry } from './streams.ts';

/** An entry that no consumer can use, with why. */
export interface DeadLetter {
  /** Id in the dead-letter stream. */
  readonly letterId: string;
  readonly stream: string;
  /** Id it had in that stream. */
  readonly id: string;
  readonly group: string;
  readonly reason: string;
  /** Name of the field that held the text: `event`, `decision`, `snapshot`, `quote`. */
  readonly field: string;
  /** The text as it came. */
  readonly event: string;
}

const storeScript = loadScript('dead-letter');
const replayScript = loadScript('replay-letter');

/** Acknowledges the entry and keeps it with its reason, in one step; doing it again adds nothing. */
export async function storeDeadLetter(
  redis: Redis,
  market: MarketId,
  from: { readonly stream: string; readonly group: string; readonly entry: StreamEntry; readonly reason: string },
): Promise<void> {
  const { stream, group, entry, reason } = from;
  const [field = 'event', event = ''] = entry.fields;
  const letter = ['stream', stream, 'id', entry.id, 'group', group, 'reason', reason, 'field', field, 'event', event];
  await storeScript.run(redis, [stream, redisKeys(market).streams.deadLetter], [group, entry.id, ...letter]);
}

/** Oldest first, after `after`. */
export async function listDeadLetters(
  redis: Redis,
  market: MarketId,
  { limit = 100, after }: { readonly limit?: number; readonly after?: string } = {},
): Promise<DeadLetter[]> {
  const from = after === undefined ? '-' : `(${after}`;
  const found = await redis.xrange(redisKeys(market).streams.deadLetter, from, '+', 'COUNT', limit);
  return found.map(([id, fields]) => letterOf({ id, fields }));
}

export async function countDeadLetters(redis: Redis, market: MarketId): Promise<number> {
  return redis.xlen(redisKeys(market).streams.deadLetter);
}

/** Puts letters back at the end of the streams they came from, each once; returns how many. All groups read them again. */
export async function replayDeadLetters(
  redis: Redis,
  market: MarketId,
  letters: readonly DeadLetter[],
): Promise<number> {
  const { deadLetter, ...streams } = redisKeys(market).streams;
  let replayed = 0;
  for (const { letterId, stream, field, event } of letters) {
    if (!Object.values<string>(streams).includes(stream)) continue;
    replayed += Number(await replayScript.run(redis, [stream, deadLetter], [letterId, field, event]));
  }
  return replayed;
}

function letterOf(entry: StreamEntry): DeadLetter {
  const read = (name: string) => fieldOf(entry, name) ?? '';
  return {
    letterId: entry.id,
    stream: read('stream'),
    id: read('id'),
    group: read('group'),
    reason: read('reason'),
    field: read('field'),
    event: read('event'),
  };
}
