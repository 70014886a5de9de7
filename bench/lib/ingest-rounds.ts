import type { Redis } from 'ioredis';
import { redisKeys } from '../../db/redis-keys.ts';
import { appendDemand, appendLocations } from '../../db/streams.ts';
import type { Point } from '../../domain/distance.ts';
import { type MarketId, parseMarketId } from '../../domain/ids.ts';
import { mintToken } from '../../platform/tokens.ts';
import { sendLoad } from './load.ts';
import { CpuMeter } from './process-figures.ts';
import type { Rig } from './rig.ts';
import { counter, groupsDone } from './stream-figures.ts';
import { Fleet, pickups, rideRequest } from './traffic.ts';
import { paced, until } from './wait.ts';

const drivers = 10_000;
const perCall = 500;

/** The real ingestion and recorder processes on New York, and who sends to them. */
export class Ingest {
  readonly market: MarketId;
  readonly places: readonly Point[];
  readonly fleet: Fleet;
  readonly rig: Rig;
  readonly figures: { readonly ingestion: string; readonly recorder: string };
  sentFixes = 0;
  sentRequests = 0;

  private constructor(rig: Rig, market: MarketId, figures: Ingest['figures'], all: readonly Point[]) {
    this.rig = rig;
    this.market = market;
    this.figures = figures;
    this.places = Array.from({ length: drivers }, (_, i) => all[i % all.length] ?? { latitude: 0, longitude: 0 });
    this.fleet = new Fleet('driver', this.places);
  }

  static async start(rig: Rig): Promise<Ingest> {
    const market = parseMarketId('nyc');
    if (market === undefined) throw new Error('nyc must parse');
    const ingestion = await rig.startMeasured('ingestion', 'workers/ingestion/main.js');
    const recorder = await rig.startMeasured('recorder', 'workers/recorder/main.js');
    const ingest = new Ingest(rig, market, { ingestion, recorder }, await pickups(rig.pool));
    await until('the workers read', async () => (await groupsDone(rig.redis, ingest.streams[0], '0-0')).size === 2);
    return ingest;
  }

  get streams(): readonly [locations: string, demand: string] {
    const { locations, demand } = redisKeys(this.market).streams;
    return [locations, demand];
  }

  request(): Point {
    return this.places[Math.floor(Math.random() * this.places.length)] ?? { latitude: 0, longitude: 0 };
  }
}

export interface Drained {
  /** Fixes a second, until the live group had acknowledged all. */
  readonly livePerSecond: number;
  /** Until the history group had, too. */
  readonly perSecond: number;
  /** CPU of one core by process, meanwhile. */
  readonly shares: string;
  /** µs of CPU per fix by process. */
  readonly costs: Readonly<Record<string, number>>;
}

/**
 * How fast both groups work off a full stream. It is filled under another name, with the same groups, and then takes the
 * place of the empty one, so that the work of filling it is not in the figure.
 */
export async function drain(ingest: Ingest, fixes: number): Promise<Drained> {
  const { redis } = ingest.rig;
  const { places } = ingest;
  const requests = Array.from(
    { length: Math.round(fixes / 10) },
    (_, i) => places[i % places.length] ?? ingest.request(),
  );
  const [locations, demand] = ingest.streams;
  const lastFix = await fill(redis, locations, fixes, () => ingest.fleet.fix());
  const lastRequest = await fill(redis, demand, requests.length, (i) => rideRequest(requests[i] ?? ingest.request()));
  ingest.sentFixes += fixes;
  ingest.sentRequests += requests.length;

  const cpu = new CpuMeter(ingest.rig.pids('redis', 'postgres', 'ingestion', 'recorder'));
  const began = performance.now();
  await redis.multi().rename(`${locations}:full`, locations).rename(`${demand}:full`, demand).exec();
  const doneAt = new Map<string, number>();
  const look = async () => {
    const [one, other] = [await groupsDone(redis, locations, lastFix), await groupsDone(redis, demand, lastRequest)];
    for (const group of one) if (other.has(group) && !doneAt.has(group)) doneAt.set(group, performance.now());
    return doneAt.has('live') && doneAt.has('history');
  };
  await until('the streams are drained', look, { mostMs: 120_000, everyMs: 10 });
  const rate = (group: string) => (1000 * fixes) / ((doneAt.get(group) ?? 0) - began);
  const costs = Object.fromEntries(Object.entries(cpu.used()).map(([name, ms]) => [name, (1_000 * ms) / fixes]));
  const perSecond = Math.min(rate('live'), rate('history'));
  return { livePerSecond: rate('live'), perSecond, shares: cpu.shares(), costs };
}

async function fill(redis: Redis, stream: string, count: number, make: (i: number) => object): Promise<string> {
  const name = `${stream}:full`;
  for (const group of ['live', 'history']) await redis.xgroup('CREATE', name, group, '0', 'MKSTREAM');
  let last = '0-0';
  for (let i = 0; i < count; i += perCall) {
    const pipeline = redis.pipeline();
    for (let j = i; j < Math.min(count, i + perCall); j += 1)
      pipeline.xadd(name, '*', 'event', JSON.stringify(make(j)));
    last = String((await pipeline.exec())?.at(-1)?.[1]);
  }
  return last;
}

/** Straight into the stream at an even pace, with a request per twenty fixes. */
export async function stream(ingest: Ingest, rate: number, seconds: number) {
  const { rig, market, fleet } = ingest;
  const watch = await watchAges(ingest);
  const began = performance.now();
  let sent = 0;
  await paced(seconds * 1000, 10, async (due) => {
    const fixes = fleet.fixes(Math.round((rate * due) / 100));
    const requests = Array.from({ length: Math.round(fixes.length / 20) }, () => rideRequest(ingest.request()));
    await Promise.all([appendLocations(rig.redis, market, fixes), appendDemand(rig.redis, market, requests)]);
    sent += fixes.length;
    ingest.sentRequests += requests.length;
  });
  ingest.sentFixes += sent;
  const perSecond = (1000 * sent) / (performance.now() - began);
  return { perSecond, ages: await watch.end(sent) };
}

/** Through the API, one fix a request, at an even pace. */
export async function postFixes(ingest: Ingest, rate: number, seconds: number) {
  const { rig, fleet } = ingest;
  const url = await rig.serve('api', 'api/main.js', '/readyz');
  const token = await mintToken(rig.keys, { role: 'service', subject: 'bench' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const requests = fleet.fixes(drivers).map(({ driverId, latitude, longitude, speed, heading, accuracy }) => ({
    path: `/api/v1/drivers/${driverId}/location`,
    headers,
    body: JSON.stringify({ latitude, longitude, speed, heading, accuracy, is_available: true }),
  }));
  await sendLoad({ url, connections: 64, requests, rate, seconds: 3 }).then(
    ({ succeeded }) => (ingest.sentFixes += succeeded),
  );
  const watch = await watchAges(ingest);
  const { succeeded, failed, perSecond, latencies } = await sendLoad({ url, connections: 64, requests, rate, seconds });
  ingest.sentFixes += succeeded;
  return { perSecond, failed, answers: latencies, ages: await watch.end(succeeded) };
}

/** Ages of fixes when the live state has them: Lua tells each accepted one on its driver's channel. */
async function watchAges({ rig, market }: Ingest) {
  const ages: number[] = [];
  const subscriber = rig.redis.duplicate();
  subscriber.on('pmessage', (_pattern, _channel, text: string) => {
    ages.push(Date.now() - Number(/"atMs":(\d+)/.exec(text)?.[1]));
  });
  await subscriber.psubscribe(redisKeys(market).channels.driver('*'));
  return {
    async end(expected: number): Promise<readonly number[]> {
      await until('every fix is in the live state', () => ages.length >= expected, { mostMs: 30_000 }).catch(() => {});
      subscriber.disconnect();
      return ages;
    },
  };
}

/** Everything sent must be in both places, exactly once. */
export async function countIngested(ingest: Ingest) {
  const { rig, market, figures, sentFixes, sentRequests } = ingest;
  const history = async (table: string) =>
    Number((await rig.pool.query(`select count(*) from ${table} where market_id = $1`, [market])).rows[0]?.count);
  const live = (stream: string) =>
    counter(figures.ingestion, 'equilibrium_ingestion_events_total', [`stream="${stream}"`]).then(Math.round);
  const expired = await counter(figures.ingestion, 'equilibrium_ingestion_events_total', ['outcome="expired"']);
  await until('history is complete', async () => (await history('driver_location_events')) >= sentFixes).catch(
    () => {},
  );
  const rows = [
    ['fixes', sentFixes, (await live('driver-locations')) - expired, await history('driver_location_events')],
    ['ride requests', sentRequests, await live('demand-events'), await history('demand_events')],
  ] as const;
  const lost = rows.reduce(
    (total, [, sent, applied, stored]) => total + Math.abs(sent - applied) + Math.abs(sent - stored),
    0,
  );
  return { rows, lost, deadLetters: await rig.redis.xlen(redisKeys(market).streams.deadLetter) };
}
