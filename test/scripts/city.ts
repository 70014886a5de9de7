import { randomUUID } from 'node:crypto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createPricingActivities } from '../../activities/pricing.ts';
import { publish, readCounts, readEntries, refresh } from '../../db/board.ts';
import { sweep } from '../../db/live-state.ts';
import { storeMarket } from '../../db/markets.ts';
import { newestRecordedPrice } from '../../db/price-log.ts';
import { loadPricingConfigs } from '../../db/pricing-config.ts';
import { insertQuotes } from '../../db/quotes.ts';
import { appendDemand, appendLocations, createGroups } from '../../db/streams.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import type { DemandEvent, LocationEvent } from '../../domain/events.ts';
import { defaultTariff, surged } from '../../domain/fare.ts';
import type { ZoneKey } from '../../domain/ids.ts';
import { connectTemporal } from '../../platform/connections.ts';
import type { CheckDeps } from '../../scripts/check/deps.ts';
import type { Ledger } from '../../scripts/check/ledger.ts';
import { startSignalling } from '../../workers/ingestion/signalling.ts';
import { mixedHash, zoneWorkflowId } from '../../workflows/ids.ts';
import { feedHasFlowed, zone, zoneClass } from '../db/live-fixtures.ts';
import { redisMarket, type RedisMarket } from '../db/redis-market.ts';
import { eventually, freshDatabase, services, type TestDatabase } from '../harness.ts';
import { demandOf, locationOf } from '../workers/events.ts';
import { silent, startHistory, startLive, startRecords } from '../workers/loops.ts';
import { quoteOf } from '../workers/records.ts';
import { workflowBundle } from '../workflows/zone-fixture.ts';

export interface City extends AsyncDisposable {
  readonly market: RedisMarket;
  readonly database: TestDatabase;
  readonly deps: CheckDeps;
  readonly ledger: Ledger;
  readonly quoteId: string;
}

export const busy: ZoneKey = zoneClass('aaa');
export const calm: ZoneKey = zoneClass('bbb');

/** Everything that prices a market but the API, on the services of the tests: three prices of one zone, a quote, one tick. */
export async function startCity(): Promise<City> {
  const workflows = await workflowBundle();
  const database = await freshDatabase();
  const market = await marketBeforeTick();
  const { pool } = database;
  await storeMarket(pool, { ...described, marketId: market.market });
  await pool.query('update global_pricing_rules set price_change_cooldown_seconds = 0');
  await createGroups(market.redis, market.market);
  const temporal = await connectTemporal({ address: services().temporalAddress });
  const taskQueue = `city-${market.market}`;
  const stopWorker = await startZoneWorker(market, database, workflows, taskQueue);
  startLive(market);
  startHistory(market, pool);
  startRecords(market, pool);
  const { redis, market: id } = market;
  const subscriber = redis.duplicate();
  const signalling = startSignalling({
    market: id,
    redis,
    subscriber,
    client: temporal.client,
    taskQueue,
    holder: randomUUID(),
    log: silent,
  });
  const ledger = await live(market);
  const quoteId = await quoteAtBoard(market, database);
  // From here on nothing moves but the ticks.
  await signalling.stop();
  await firstTick(database);
  return {
    market,
    database,
    deps: { pool, redis, client: temporal.client, market: id },
    ledger: { ...ledger, quotes: [await answeredQuote(database, quoteId)] },
    quoteId,
    async [Symbol.asyncDispose]() {
      for (const name of [zone('aaa'), zone('bbb')]) {
        const handle = temporal.client.workflow.getHandle(zoneWorkflowId(id, name, 'car'));
        await handle.terminate('end of test').catch(() => {});
      }
      await stopWorker();
      await market[Symbol.asyncDispose]();
      await temporal.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** A market whose busy zone ticks soon after its first prices, so that a whole period is left for what is tried with it. */
async function marketBeforeTick(): Promise<RedisMarket> {
  for (;;) {
    const market = redisMarket();
    const offset = mixedHash(zoneWorkflowId(market.market, zone('aaa'), 'car')) % decayPeriodMs;
    const untilTickMs = (offset - (Date.now() % decayPeriodMs) + decayPeriodMs) % decayPeriodMs;
    if (untilTickMs > 8_000 && untilTickMs < 11_000) return market;
    await market[Symbol.asyncDispose]();
  }
}

const described = {
  name: 'City',
  timeZone: 'America/New_York',
  currency: 'USD',
  tariff: defaultTariff,
  speedByHour: null,
  averageBaseFare: 14.44,
  boundary: {
    type: 'Polygon' as const,
    coordinates: [
      [
        [-75, 40],
        [-73, 40],
        [-73, 42],
        [-75, 42],
        [-75, 40],
      ],
    ],
  },
};

async function startZoneWorker(
  { redis }: RedisMarket,
  { pool }: TestDatabase,
  workflows: Awaited<ReturnType<typeof workflowBundle>>,
  taskQueue: string,
): Promise<() => Promise<void>> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: services().temporalAddress });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: workflows,
    reuseV8Context: true,
    activities: createPricingActivities({
      board: {
        publish: (market, entry, snapshot) => publish(redis, market, entry, snapshot),
        refresh: (market, entry, snapshot) => refresh(redis, market, entry, snapshot),
        counts: (market, zones) => readCounts(redis, market, zones),
        entry: async (market) => (await readEntries(redis, market, [busy]))[0],
      },
      recordedVersion: ({ zoneId, vehicleClass }) => newestRecordedPrice(pool, zoneId, vehicleClass),
      neighbours: () => [],
      configs: (market) => loadPricingConfigs(pool, market),
    }),
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await connection.close();
  };
}

/** Drivers and riders as the API would pass them on, late and repeated ones among them; answers what a ledger would hold. */
async function live(market: RedisMarket): Promise<Omit<Ledger, 'quotes'>> {
  const events = { location: new Set<string>(), demand: new Set<string>() };
  const drive = async (...fixes: LocationEvent[]) => {
    for (const { eventId } of fixes) events.location.add(eventId);
    await appendLocations(market.redis, market.market, fixes);
  };
  const ask = async (...wishes: DemandEvent[]) => {
    for (const { eventId } of wishes) events.demand.add(eventId);
    await appendDemand(market.redis, market.market, wishes);
  };
  await drive(locationOf('d1', ago(9)), locationOf('d2', { latitude: 40.9999, ...ago(9) }), locationOf('d3', ago(9)));
  await drive(locationOf('d2', { latitude: 41.0001 }), locationOf('d3', { isAvailable: false }));
  await drive(
    locationOf('d1', { isAvailable: true }),
    locationOf('d1', { latitude: 41.9, timestampMs: Date.now() + 5 }),
  );
  await drive(...['d4', 'd5', 'd6', 'd7'].map((id) => locationOf(id)));
  const fresh = async () => (await market.redis.zcard(market.keys.fresh)) === 7;
  await eventually(fresh);
  await feedHasFlowed(market);
  await sweep(market.redis, market.market);
  // Five drivers: 6, 7 and 9 requests ask for 1.1, 1.2 and 1.4.
  for (const [i, requests] of [6, 1, 2].entries()) {
    const version = i + 1;
    const riders = Array.from({ length: requests }, (_, rider) => demandOf(`r${version}-${rider}`));
    await ask(...riders, ...riders.slice(0, 1));
    await ask(demandOf(`late-${version}`, ago(660)), demandOf(`r${version}-0`, { kind: 'search' }));
    await eventually(async () => (await boardVersion(market)) === version, { timeoutMs: 15_000 });
  }
  return { events };
}

function ago(seconds: number) {
  return { timestampMs: Date.now() - seconds * 1000 };
}

async function boardVersion({ redis, market }: RedisMarket): Promise<number | undefined> {
  return (await readEntries(redis, market, [busy]))[0]?.version;
}

async function quoteAtBoard({ redis, market }: RedisMarket, { pool }: TestDatabase): Promise<string> {
  const [entry] = await readEntries(redis, market, [busy]);
  if (entry === undefined) throw new Error('the busy zone has no price');
  const quote = quoteOf(market, randomUUID());
  const finalFareMinor = surged(quote.baseFareMinor, entry.multiplier);
  const { version: priceVersion, multiplier, zoneId } = entry;
  await insertQuotes(pool, [{ ...quote, zoneId, priceVersion, multiplier, finalFareMinor, priceAsOfMs: entry.asOfMs }]);
  return quote.quoteId;
}

async function answeredQuote({ pool }: TestDatabase, quoteId: string) {
  const { rows } = await pool.query('select * from quotes where quote_id = $1', [quoteId]);
  return {
    kind: 'quote' as const,
    quote_id: quoteId,
    final_fare_minor: Number(rows[0].final_fare_minor),
    multiplier: Number(rows[0].multiplier),
    price_version: Number(rows[0].price_version),
  };
}

async function firstTick({ pool }: TestDatabase): Promise<void> {
  const ticked = async () => {
    const { rowCount } = await pool.query(`select 1 from supply_demand_snapshots where zone_id = 'aaa'`);
    return rowCount === 1;
  };
  await eventually(ticked, { timeoutMs: 45_000 });
}
