import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { gridDisk, latLngToCell } from 'h3-js';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { type ApiService, createApiService } from '../../api/service.ts';
import { listen } from '../../api/server.ts';
import { storeMarket, storeZones } from '../../db/markets.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import type { BoardEntry, Decision } from '../../domain/decision.ts';
import { defaultTariff } from '../../domain/fare.ts';
import { type MarketId, parseZoneId, type ZoneId } from '../../domain/ids.ts';
import { createPool, createRedis, redisReady } from '../../platform/connections.ts';
import { ensureKeys, type Keys } from '../../platform/keys.ts';
import { mintToken, type Role } from '../../platform/tokens.ts';
import { freshDatabase } from '../database.ts';
import { freshMarketId, services } from '../harness.ts';

export interface StartOptions {
  /** Addresses to use instead of the real ones: through a proxy. */
  readonly redisUrl?: string;
  readonly databaseUrl?: (real: string) => string;
  readonly temporal?: Client;
  readonly pingTemporal?: () => Promise<unknown>;
  /** Without a market in the database. */
  readonly bare?: boolean;
  /** Leaves starting the loops to the test. */
  readonly unstarted?: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Answers are looked into field by field; what they hold is what the test is about.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly service: ApiService;
  readonly market: MarketId;
  readonly zoneId: ZoneId;
  readonly keys: Keys;
  /** Straight to the services, past any proxy. */
  readonly redis: Redis;
  readonly pool: Pool;
  token(role: Role, subject?: string): Promise<string>;
  get(path: string, token?: string): Promise<Answer>;
  post(path: string, body: unknown, token?: string): Promise<Answer>;
  send(path: string, init: RequestInit): Promise<Answer>;
}

/** A point in the only named zone, one in a bare cell of the market, one outside of it. */
export const inZone = { latitude: 40.75, longitude: -73.98 };
export const inCell = { latitude: 40.62, longitude: -73.85 };
export const outside = { latitude: 51.5, longitude: -0.12 };
export const dropoff = { latitude: 40.78, longitude: -73.96 };

/** The API over real services, on a free port, with a market of its own. */
export async function startApi(options: StartOptions = {}): Promise<TestApi> {
  const addresses = services();
  const database = await freshDatabase();
  const market = freshMarketId();
  const zoneId = known(parseZoneId(`${market}-midtown`));
  if (options.bare !== true) await makeMarket(database.pool, market, zoneId);
  const home = mkdtempSync(join(tmpdir(), 'api-test-'));
  const keys = await ensureKeys(join(home, 'keys.json'), { embedded: true });
  const redis = createRedis(addresses.redisUrl);
  const redisUrl = options.redisUrl ?? addresses.redisUrl;
  const pool = createPool(options.databaseUrl?.(database.url) ?? database.url, { max: 4 });
  const fast = createRedis(redisUrl, { failFast: true });
  const subscriber = createRedis(redisUrl);
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });
  const { temporal, pingTemporal } = options;
  const pace = { sweepMs: 200, reloadMs: 500, retryMs: 100 };
  const service = createApiService({ pool, redis: fast, subscriber, temporal, pingTemporal, keys, log, pace });
  if (options.unstarted !== true) {
    await redisReady(fast);
    await service.start();
  }
  const listening = await listen(service.app, '127.0.0.1', 0);
  const url = `http://127.0.0.1:${listening.port}`;
  const send = (path: string, init: RequestInit) => answered(fetch(url + path, init));
  const token = (role: Role, subject = `${role}-${market}`) => mintToken(keys, { role, subject });
  return {
    url,
    service,
    market,
    zoneId,
    keys,
    redis,
    pool: database.pool,
    token,
    send,
    get: (path, bearer) => send(path, { headers: authorization(bearer) }),
    post: (path, body, bearer) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...authorization(bearer) },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      service.stop();
      await listening.close(2_000);
      fast.disconnect();
      subscriber.disconnect();
      await pool.end();
      const left = await redis.keys(`{${market}}:*`);
      if (left.length > 0) await redis.del(left);
      redis.disconnect();
      await database[Symbol.asyncDispose]();
      rmSync(home, { recursive: true });
    },
  };
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

async function answered(response: Promise<Response>): Promise<Answer> {
  const { status, headers, ...rest } = await response.then(async (res) => ({
    status: res.status,
    headers: res.headers,
    text: await res.text(),
  }));
  return { status, headers, body: rest.text === '' ? undefined : JSON.parse(rest.text) };
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a value of the test is missing');
  return value;
}

async function makeMarket(pool: Pool, marketId: MarketId, zoneId: ZoneId): Promise<void> {
  const boundary = { type: 'Polygon' as const, coordinates: [square(40.5, -74.2, 40.95, -73.7)] };
  await storeMarket(pool, {
    marketId,
    name: 'Test City',
    timeZone: 'America/New_York',
    currency: 'USD',
    tariff: defaultTariff,
    speedByHour: null,
    averageBaseFare: 14.44,
    boundary,
  });
  const centerCell = latLngToCell(inZone.latitude, inZone.longitude, 9);
  const zone = { zoneId, zoneName: 'Midtown', zoneGroup: null, center: inZone, centerCell, radiusMeters: 1_000 };
  await storeZones(pool, marketId, [{ ...zone, boundary: null, cells: gridDisk(centerCell, 3) }]);
}

function square(south: number, west: number, north: number, east: number): number[][] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

export function boardEntry(zoneId: ZoneId, given: Partial<BoardEntry> = {}): BoardEntry {
  const { version = 3, multiplier = 150, asOfMs = Date.now() } = given;
  const decision: Decision = {
    zoneId,
    vehicleClass: 'car',
    version,
    oldMultiplier: 100,
    multiplier,
    recommended: multiplier,
    trigger: 'tick',
    supply: 2,
    demand: 12.4,
    smoothedSupply: 2,
    smoothedDemand: 12.4,
    smoothingFactor: 1.2,
    neighbours: 1,
    algorithm: 'linear',
    confidence: 0.9,
    guard: null,
    factors: [{ rule: 'linear', before: 1, after: multiplier / 100, detail: 'demand over supply' }],
    exempt: [],
    configVersion: 7,
    globalVersion: 1,
    runId: 'run',
    decidedAtMs: asOfMs,
    observedAtMs: asOfMs,
  };
  const counts: BoardEntry['counts'] = {
    supply: 2,
    demand: 12.4,
    supplyAsOfMs: asOfMs,
    feed: 'healthy',
    trend: 'increasing',
    stable: false,
    asleep: false,
    epoch: 1,
    rev: 1,
    demandTotal: 124,
    demandRefusedTenths: 0,
    confidence: 0.9,
  };
  const base = { zoneId, vehicleClass: 'car' as const, floor: 100, maxChangePerPeriod: 0.5, counts, decision };
  return { ...base, version, multiplier, asOfMs, ...given };
}

/** As the zone's activity writes it: the board, its index, and word to everybody. */
export async function putOnBoard(api: TestApi, entry: BoardEntry, { silently = false } = {}): Promise<void> {
  const keys = redisKeys(api.market);
  const key = `${entry.zoneId}:${entry.vehicleClass}`;
  const { decision, ...state } = entry;
  const text = `${JSON.stringify(state)}\n${JSON.stringify(decision)}`;
  await api.redis.set(keys.pricing(key), text);
  await api.redis.zadd(keys.priced, entry.asOfMs, key);
  if (!silently) await api.redis.publish(keys.channels.prices, text);
}

export async function healthyFeed(api: TestApi): Promise<void> {
  const nowMs = Date.now();
  await api.redis.hset(redisKeys(api.market).feed, { state: 'healthy', watermark: nowMs, healthy_at: nowMs });
  await api.service.board.sweep();
}
