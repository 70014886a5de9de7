import type { Pool } from 'pg';
import type { Redis } from 'ioredis';
import type { MarketId } from '../domain/ids.ts';
import { type Hundredths, toHundredths } from '../domain/units.ts';
import { listDeadLetters } from './dead-letters.ts';
import { redisKeys } from './redis-keys.ts';
import { columns } from './rows.ts';
import { consumersOf } from './streams.ts';

/** A fix as it was sent; together these are its key in the history. */
export interface SentFix {
  readonly driverId: string;
  readonly eventId: string;
  readonly timestampMs: number;
}

export type SentDemand = Omit<SentFix, 'driverId'>;

/** The event ids of those fixes that the history does not hold. */
export async function fixesNotRecorded(pool: Pool, fixes: readonly SentFix[]): Promise<string[]> {
  const { rows } = await pool.query<{ event_id: string }>({
    name: 'demo-fixes-missing',
    text: `select s.event_id from unnest($1::text[], $2::text[], $3::float8[]) as s(driver_id, event_id, at)
           where not exists (select from driver_location_events e where e.driver_id = s.driver_id
             and e.time = to_timestamp(s.at / 1000.0) and e.event_id = s.event_id)`,
    values: columns(
      fixes,
      ({ driverId }) => driverId,
      ({ eventId }) => eventId,
      ({ timestampMs }) => timestampMs,
    ),
  });
  return rows.map((row) => row.event_id);
}

/** The event ids of those demand events that the history does not hold. */
export async function demandNotRecorded(pool: Pool, events: readonly SentDemand[]): Promise<string[]> {
  const { rows } = await pool.query<{ event_id: string }>({
    name: 'demo-demand-missing',
    text: `select s.event_id from unnest($1::text[], $2::float8[]) as s(event_id, at)
           where not exists (select from demand_events e
             where e.event_id = s.event_id and e.time = to_timestamp(s.at / 1000.0))`,
    values: columns(
      events,
      ({ eventId }) => eventId,
      ({ timestampMs }) => timestampMs,
    ),
  });
  return rows.map((row) => row.event_id);
}

/** How often a multiplier was decided, and by how many zones. */
export interface DecidedMultipliers {
  readonly decisions: number;
  readonly perMultiplier: readonly { readonly multiplier: Hundredths; readonly decisions: number }[];
  /** The highest that each zone × class reached. */
  readonly highestOfZones: readonly Hundredths[];
}

/** What the price log of a market holds from `sinceMs` on. */
export async function decidedSince(pool: Pool, market: MarketId, sinceMs: number): Promise<DecidedMultipliers> {
  const since = `from pricing_event_logs where market_id = $1 and "timestamp" >= to_timestamp($2 / 1000.0)`;
  const [counted, highest] = await Promise.all([
    pool.query<{ multiplier: number; decisions: number }>(
      `select new_multiplier::float8 as multiplier, count(*)::int as decisions ${since} group by 1 order by 1`,
      [market, sinceMs],
    ),
    pool.query<{ highest: number }>(
      `select max(new_multiplier)::float8 as highest ${since} group by zone_id, vehicle_class`,
      [market, sinceMs],
    ),
  ]);
  const perMultiplier = counted.rows.map(({ multiplier, decisions }) => ({
    multiplier: toHundredths(multiplier),
    decisions,
  }));
  return {
    decisions: perMultiplier.reduce((sum, { decisions }) => sum + decisions, 0),
    perMultiplier,
    highestOfZones: highest.rows.map((row) => toHundredths(row.highest)),
  };
}

/** Zones × classes whose entry on the board was written or refreshed since. */
export async function pricedSince(redis: Redis, market: MarketId, sinceMs: number): Promise<number> {
  return redis.zcount(redisKeys(market).priced, sinceMs, '+inf');
}

/** Dead letters that came since, and those of them that hold `text`. */
export async function lettersSince(
  redis: Redis,
  market: MarketId,
  sinceMs: number,
  text: string,
): Promise<{ readonly all: number; readonly matching: number }> {
  let after = `${sinceMs}-0`;
  let [all, matching] = [0, 0];
  for (;;) {
    const letters = await listDeadLetters(redis, market, { limit: 500, after });
    all += letters.length;
    matching += letters.filter(({ event }) => event.includes(text)).length;
    const last = letters.at(-1);
    if (last === undefined) return { all, matching };
    after = last.letterId;
  }
}

/** What the workers of a market still have to do; each entry is one thing in words, none when all is quiet. */
export async function leftToDo(redis: Redis, market: MarketId): Promise<string[]> {
  const keys = redisKeys(market);
  const left: string[] = [];
  for (const { stream, groups } of consumersOf(keys)) {
    const [newest, states] = await Promise.all([newestId(redis, stream), groupStates(redis, stream)]);
    if (newest === undefined) continue;
    for (const group of groups) {
      const state = states.get(group);
      if (state?.delivered !== newest) left.push(`${stream}: ${group} has not read everything`);
      else if (state.pending > 0) left.push(`${stream}: ${group} works on ${state.pending} entries`);
    }
  }
  const changed = await redis.zcard(keys.changed);
  if (changed > 0) left.push(`${changed} changed zones wait for their signal`);
  return left;
}

/** undefined for a stream that does not exist or never had an entry. */
async function newestId(redis: Redis, stream: string): Promise<string | undefined> {
  if ((await redis.exists(stream)) === 0) return undefined;
  const id = fieldsOf(await redis.xinfo('STREAM', stream)).get('last-generated-id');
  return id === '0-0' ? undefined : id;
}

async function groupStates(redis: Redis, stream: string): Promise<Map<string, { delivered: string; pending: number }>> {
  if ((await redis.exists(stream)) === 0) return new Map();
  const answer: unknown = await redis.xinfo('GROUPS', stream);
  const list = Array.isArray(answer) ? answer.map(fieldsOf) : [];
  return new Map(
    list.map((group) => [
      group.get('name') ?? '',
      { delivered: group.get('last-delivered-id') ?? '', pending: Number(group.get('pending')) },
    ]),
  );
}

/** A flat list of names and values; values that are lists themselves are of no use here. */
function fieldsOf(flat: unknown): Map<string, string> {
  const list: unknown[] = Array.isArray(flat) ? flat : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < list.length; i += 2) {
    const [name, value] = [list[i], list[i + 1]];
    if (typeof name === 'string' && (typeof value === 'string' || typeof value === 'number')) {
      fields.set(name, String(value));
    }
  }
  return fields;
}
