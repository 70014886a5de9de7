import type { ChainableCommander, Redis } from 'ioredis';
import type { MarketId } from '../domain/ids.ts';
import { redisKeys } from './redis-keys.ts';
import { pairsOf } from './replies.ts';
import { consumersOf } from './streams.ts';

/** What the live state holds of a driver, as text where it may be missing. */
export interface LiveDriver {
  /** ms of the last accepted fix; undefined while there is none. */
  readonly atMs: number | undefined;
  readonly latitude: number;
  readonly longitude: number;
  /** '' outside the serviced area. */
  readonly zoneId: string;
  readonly vehicleClass: string;
  readonly available: boolean;
}

/** Everything that the live state of a market holds, read in one step. */
export interface LiveInventory {
  readonly nowMs: number;
  /** 0 while nothing was ever applied. */
  readonly epoch: number;
  readonly drivers: ReadonlyMap<string, LiveDriver>;
  /** driver → `<zone>:<class>` that counts it. */
  readonly memberOf: ReadonlyMap<string, string>;
  /** `<zone>:<class>` → driver → ms of the fix. */
  readonly supply: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly demand: ReadonlyMap<string, { readonly totalTenths: number; readonly rev: number }>;
}

/** For checks, not for serving: it scans for the keys of the market. */
export async function readInventory(redis: Redis, market: MarketId): Promise<LiveInventory> {
  const keys = redisKeys(market);
  const driverPrefix = keys.driver('');
  const [drivers, supplied, demanded] = await Promise.all([
    scan(redis, `${driverPrefix}*`),
    scan(redis, keys.zoneDrivers('*')),
    scan(redis, keys.zoneDemand('*')),
  ]);
  const batch = redis.multi().time().get(keys.epoch).hgetall(keys.members);
  for (const key of drivers) batch.hmget(key, 't', 'lat', 'lng', 'zone', 'class', 'avail');
  for (const key of supplied) batch.zrange(key, '0', '-1', 'WITHSCORES');
  for (const key of demanded) batch.hmget(key, 'total', 'rev');
  const answers = await answersOf(batch);
  const [time, epoch, members] = answers;
  const of = (from: number, i: number) => wordsOf(answers[from + i]);
  const [afterDrivers, afterSupply] = [3 + drivers.length, 3 + drivers.length + supplied.length];
  const zone = (key: string, suffix: string) => key.slice(`${keys.prefix}zone:`.length, -suffix.length);
  return {
    nowMs: millisecondsOf(wordsOf(time)),
    epoch: Number(epoch ?? 0),
    memberOf: new Map(Object.entries(isRecord(members) ? members : {})),
    drivers: new Map(drivers.map((key, i) => [key.slice(driverPrefix.length), driverOf(of(3, i))])),
    supply: new Map(supplied.map((key, i) => [zone(key, ':drivers'), scoresOf(of(afterDrivers, i))])),
    demand: new Map(demanded.map((key, i) => [zone(key, ':demand'), demandOf(of(afterSupply, i))])),
  };
}

export interface StreamProgress {
  readonly stream: string;
  readonly group: string;
  /** Given to a consumer and not acknowledged. */
  readonly pending: number;
  /** False while the stream holds entries that the group was not given yet. */
  readonly atEnd: boolean;
}

/** How far every group of the market has come; a stream that was never written is at its end. */
export async function streamProgress(redis: Redis, market: MarketId): Promise<StreamProgress[]> {
  const found: StreamProgress[] = [];
  for (const { stream, groups } of consumersOf(redisKeys(market))) {
    if ((await redis.exists(stream)) === 0) continue;
    const last = new Map(pairsOf(await redis.xinfo('STREAM', stream))).get('last-generated-id');
    const infos: unknown = await redis.xinfo('GROUPS', stream);
    const known = new Map(
      (Array.isArray(infos) ? infos : []).map((flat) => {
        const info = new Map(pairsOf(flat));
        return [info.get('name'), info];
      }),
    );
    for (const group of groups) {
      const info = known.get(group);
      // The lag that Redis itself counts is unknown after some deletions; ids always tell.
      const atEnd = info?.get('last-delivered-id') === last || last === '0-0';
      found.push({ stream, group, pending: Number(info?.get('pending') ?? 0), atEnd });
    }
  }
  return found;
}

export async function changedCount(redis: Redis, market: MarketId): Promise<number> {
  return redis.zcard(redisKeys(market).changed);
}

/** What Redis holds of one zone's demand; zeros where it holds nothing. */
export async function liveDemand(redis: Redis, market: MarketId, zone: string) {
  return demandOf(await redis.hmget(redisKeys(market).zoneDemand(zone), 'total', 'rev'));
}

async function scan(redis: Redis, pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for (let cursor = '0'; ; ) {
    const [next, page] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1000);
    for (const key of page) found.add(key);
    cursor = next;
    if (cursor === '0') return [...found];
  }
}

async function answersOf(batch: ChainableCommander): Promise<unknown[]> {
  const answers = await batch.exec();
  if (answers === null) throw new Error('reading the live state was discarded');
  return answers.map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}

type Word = string | null;

function wordsOf(answer: unknown): Word[] {
  return Array.isArray(answer) ? answer.map((word) => (word === null ? null : String(word))) : [];
}

function isRecord(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function millisecondsOf([seconds, micros]: Word[]): number {
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

function driverOf([t, lat, lng, zone, vehicleClass, avail]: Word[]): LiveDriver {
  return {
    atMs: t === null || t === undefined ? undefined : Number(t),
    latitude: Number(lat),
    longitude: Number(lng),
    zoneId: zone ?? '',
    vehicleClass: vehicleClass ?? 'car',
    available: avail !== '0',
  };
}

function scoresOf(flat: Word[]): Map<string, number> {
  return new Map(pairsOf(flat).map(([driver, at]) => [driver, Number(at)]));
}

function demandOf([total, rev]: Word[]) {
  return { totalTenths: Number(total ?? 0), rev: Number(rev ?? 0) };
}
