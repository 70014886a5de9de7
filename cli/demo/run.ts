import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { loadMarkets } from '../../db/markets.ts';
import { type MarketId, zoneKey } from '../../domain/ids.ts';
import { ZoneIndex } from '../../geo/zone-index.ts';
import { UsageError } from '../context.ts';
import { ApiClient } from './client.ts';
import { readFacts, untilQuiet } from './facts.ts';
import { Ledger } from './ledger.ts';
import type { PickupFile } from './pickups.ts';
import type { Plan } from './plan.ts';
import { PriceWatch } from './price-watch.ts';
import { makeReport, type Report } from './report.ts';
import type { RunIds } from './run-ids.ts';
import { Sender } from './sender.ts';
import { City, type Request } from './simulation.ts';
import { StatusLine } from './status.ts';

export interface DemoOptions {
  readonly file: PickupFile;
  readonly plan: Plan;
  readonly drivers: number;
  readonly seed: number;
  readonly loop: boolean;
  readonly exitWhenDone: boolean;
  readonly apiUrl: string;
  readonly token: (renew: boolean) => Promise<string>;
  readonly market: MarketId;
  readonly ledger: string | undefined;
  readonly pool: Pool;
  readonly redis: Redis;
  /** Does nothing but subscribe. */
  readonly subscriber: Redis;
  readonly status: StatusLine;
  /** A signal came. */
  readonly stop: AbortSignal;
  readonly onReport: (report: Report) => void;
}

const tickMs = 200;

/** The API may just be starting. */
const patientStartMs = 30_000;

/** How long the end may take, in ms: at the end of a window there is time to be thorough, after a signal there is not. */
const patience = {
  'end-of-window': { settle: 60_000, quiet: 120_000, facts: 120_000 },
  signal: { settle: 2_000, quiet: 3_000, facts: 5_000 },
} as const;

/** Plays the plan until it is over, then reports; without `exitWhenDone` drivers stay on shift until a signal. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { plan, drivers, seed, loop, exitWhenDone, status, stop } = options;
  const ended = new AbortController();
  const client = new ApiClient({ apiUrl: options.apiUrl, token: options.token, stop: ended.signal });
  await untilAnswered(client, options.apiUrl);
  const ledger = await Ledger.open(options.ledger);
  const city = new City(plan, { drivers, seed, loop });
  const watch = await PriceWatch.listen(options.subscriber, options.market);
  const run: RunIds = { prefix: `demo-${randomBytes(5).toString('hex')}`, startMs: Date.now(), drivers };
  const onRequest = await zoneOfRequests(options, watch);
  const sender = new Sender({ client, ledger, run, onRequest });
  const play = async (untilMs: number) => {
    for (let at = 0; at < untilMs && !stop.aborted; ) {
      at = Math.min(untilMs, Date.now() - run.startMs);
      for (const step of city.advance(at)) sender.take(step);
      status.show({ city, sender, watch });
      if (at < untilMs) await pause(tickMs, undefined, { signal: stop }).catch(() => {});
    }
  };
  const report = async () => {
    const how = stop.aborted ? 'signal' : 'end-of-window';
    options.onReport(await conclude({ ...options, city, sender, watch, client, run }, how));
  };
  try {
    await play(city.endMs);
    await report();
    if (exitWhenDone || stop.aborted) return;
    status.say('The window is over; the drivers stay on shift until Ctrl-C.');
    await play(Number.POSITIVE_INFINITY);
    await report();
  } finally {
    ended.abort();
    await ledger.close();
  }
}

interface Finished extends DemoOptions {
  readonly city: City;
  readonly sender: Sender;
  readonly watch: PriceWatch;
  readonly client: ApiClient;
  readonly run: RunIds;
}

async function conclude(finished: Finished, ended: 'end-of-window' | 'signal'): Promise<Report> {
  const { file, city, sender, watch, client, run, status, stop } = finished;
  const time = patience[ended];
  const after = (ms: number) => {
    const atMs = Date.now() + ms;
    // A signal that comes only now must not wait for all of this.
    return () => Date.now() >= atMs || (ended !== 'signal' && stop.aborted);
  };
  status.say('Waiting until every event has its answer and the workers are quiet …');
  await sender.settled(after(time.settle));
  const left = await untilQuiet(finished, watch, after(time.quiet));
  const facts = await readFacts(finished, after(time.facts)).catch((error: unknown) => String(error));
  status.end();
  const waits = watch.figures();
  const { retries } = client;
  return makeReport({
    file,
    city,
    sender,
    waits,
    retries,
    facts,
    left,
    ended,
    startMs: run.startMs,
    endMs: Date.now(),
  });
}

/** Tells the watch in which zone a request stands that was answered. */
async function zoneOfRequests({ pool, market }: DemoOptions, watch: PriceWatch) {
  const markets = await loadMarkets(pool);
  if (!markets.some(({ marketId }) => marketId === market)) {
    throw new UsageError(`There is no market ${market}; \`equilibrium zones import\` makes one.`);
  }
  const index = new ZoneIndex(markets);
  return ({ request: { pickup } }: Request, sentAtMs: number) => {
    const place = index.at(pickup.latitude, pickup.longitude);
    if (place?.marketId === market) watch.requested(zoneKey(place.zoneId, 'car'), sentAtMs);
  };
}

async function untilAnswered(client: ApiClient, apiUrl: string): Promise<void> {
  const untilMs = Date.now() + patientStartMs;
  const outcome = await client.get('/healthz', () => Date.now() >= untilMs);
  if (outcome.kind !== 'answered') {
    throw new UsageError(`The API at ${apiUrl} does not answer; is \`equilibrium up\` running?`);
  }
}
