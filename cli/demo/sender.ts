import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { ApiClient } from './client.ts';
import type { Ledger } from './ledger.ts';
import { Newest } from './newest.ts';
import { eventIds, type RunIds } from './run-ids.ts';
import type { Fix, Request, Step } from './simulation.ts';
import { Tally } from './tally.ts';

export interface SenderOptions {
  readonly client: ApiClient;
  readonly ledger: Ledger;
  readonly run: RunIds;
  /** A ride request was answered 202; `sentAtMs` is when the attempt began that was answered. */
  readonly onRequest: (request: Request, sentAtMs: number) => void;
}

/** A quote as the API answered it first. */
export interface GivenQuote {
  readonly quoteId: string;
  readonly finalFareMinor: number;
  readonly multiplier: number;
  readonly priceVersion: number;
}

const mostPerCall = 1_000;
const mostRidersAtOnce = 32;
/** The API refuses what is older than ten minutes; what would arrive just then is not sent either. */
const oldestSentMs = 9.5 * 60_000;
const mostKept = 200_000;
const mostQuotesKept = 20_000;

/** Code of our own for an answer that is not what the contract says. */
const unexpected = 'unexpected-answer';

const BatchAnswer = z.object({ rejected: z.array(z.object({ index: z.number().int(), code: z.string() })) });
const QuoteAnswer = z.object({
  quote_id: z.string(),
  final_fare_minor: z.number(),
  surge_multiplier: z.number(),
  price_version: z.number(),
});

/** Takes steps of the city and brings them to the API, in order, as often as it takes while they are young enough. */
export class Sender {
  readonly fixes = new Tally();
  readonly requests = new Tally();
  readonly estimates = new Tally();
  /** Numbers of fixes and requests that were answered 202, and the quotes that were given. */
  readonly keptFixes = new Newest<Fix['n']>(mostKept);
  readonly keptRequests = new Newest<readonly [n: number, atMs: number]>(mostKept);
  readonly quotes = new Newest<GivenQuote>(mostQuotesKept);
  readonly #options: SenderOptions;
  readonly #riders = pLimit(mostRidersAtOnce);
  #waiting: Fix[] = [];
  #sending = false;
  #unsettled = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Events that are waiting for an answer. */
  get unsettled(): number {
    return this.#unsettled;
  }

  take(step: Step): void {
    // A machine that slept would otherwise pile up hours of fixes that nobody may send any more.
    if (!this.#isYoung(step)) return (step.kind === 'fix' ? this.fixes : this.requests).giveUp(1);
    this.#unsettled += 1;
    if (step.kind === 'request') void this.#riders(() => this.#ride(step)).finally(() => (this.#unsettled -= 1));
    else {
      this.#waiting.push(step);
      if (!this.#sending) void this.#sendFixes();
    }
  }

  /** Waits until everything has its answer; false when something still waits when it `isOver`. */
  async settled(isOver: () => boolean): Promise<boolean> {
    while (this.#unsettled > 0 && !isOver()) await pause(20);
    return this.#unsettled === 0;
  }

  /** One call at a time: what comes meanwhile goes together with the next one. */
  async #sendFixes(): Promise<void> {
    this.#sending = true;
    // The steps of one moment come in one go and belong into one call.
    await pause(0);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostPerCall);
      await this.#sendBatch(batch);
      this.#unsettled -= batch.length;
    }
    this.#sending = false;
  }

  async #sendBatch(batch: readonly Fix[]): Promise<void> {
    const { client } = this.#options;
    let sent: readonly Fix[] = [];
    const outcome = await client.post('/api/v1/locations:batch', () => {
      sent = batch.filter((fix) => this.#isYoung(fix));
      return sent.length === 0 ? undefined : { events: sent.map((fix) => this.#fixBody(fix)) };
    });
    if (outcome.kind === 'given-up') return this.fixes.giveUp(batch.length);
    this.fixes.giveUp(batch.length - sent.length);
    if (outcome.kind === 'refused') return this.fixes.refuse(outcome.status, outcome.code, sent.length);
    const answer = BatchAnswer.safeParse(outcome.body);
    if (!answer.success) return this.fixes.refuse(outcome.status, unexpected, sent.length);
    // Refused one by one inside a call that was taken.
    const codes = new Map(answer.data.rejected.map(({ index, code }) => [index, code]));
    for (const [index, fix] of sent.entries()) this.#fixAnswered(fix, codes.get(index));
  }

  #fixAnswered(fix: Fix, refusedFor: string | undefined): void {
    const { ledger, run } = this.#options;
    if (refusedFor !== undefined) return this.fixes.refuse(202, refusedFor);
    this.fixes.accept();
    this.keptFixes.add(fix.n);
    const { eventId, driverId, atMs } = eventIds.fix(run, fix.n);
    ledger.note({ kind: 'fix', event_id: eventId, driver_id: driverId, timestamp: isoTime(atMs) });
  }

  #fixBody({ n, place, speed, heading, available }: Fix) {
    const { eventId, driverId, atMs } = eventIds.fix(this.#options.run, n);
    return {
      event_id: eventId,
      driver_id: driverId,
      ...place,
      speed: Math.round(speed * 10) / 10,
      heading,
      accuracy: 10,
      is_available: available,
      vehicle_type: 'standard',
      timestamp: isoTime(atMs),
    };
  }

  async #ride(step: Request): Promise<void> {
    if (step.request.asksFirst) await this.#askForPrice(step);
    const { client, ledger, onRequest, run } = this.#options;
    const { eventId, rider } = eventIds.request(run, step.n);
    const timestamp = isoTime(run.startMs + step.atMs);
    const body = {
      event_id: eventId,
      kind: 'ride_request',
      ...step.request.pickup,
      timestamp,
      vehicle_type: 'standard',
      user_id: rider,
    };
    const outcome = await client.post('/api/v1/demand-events', () => (this.#isYoung(step) ? body : undefined));
    this.requests.note(outcome);
    if (outcome.kind !== 'answered') return;
    this.keptRequests.add([step.n, run.startMs + step.atMs]);
    ledger.note({ kind: 'ride_request', event_id: eventId, timestamp });
    onRequest(step, outcome.sentAtMs);
  }

  async #askForPrice(step: Request): Promise<void> {
    const { client, ledger, run } = this.#options;
    const { pickup, dropoff } = step.request;
    const body = {
      pickup_location: pickup,
      dropoff_location: dropoff,
      vehicle_type: 'standard',
      user_id: eventIds.request(run, step.n).rider,
    };
    const outcome = await client.post('/api/v1/pricing/estimate', () => (this.#isYoung(step) ? body : undefined));
    const quote = outcome.kind === 'answered' ? givenQuote(outcome.body) : undefined;
    if (outcome.kind === 'answered' && quote === undefined) return this.estimates.refuse(outcome.status, unexpected);
    this.estimates.note(outcome);
    if (quote === undefined) return;
    this.quotes.add(quote);
    ledger.note({
      kind: 'quote',
      quote_id: quote.quoteId,
      final_fare_minor: quote.finalFareMinor,
      multiplier: quote.multiplier,
      price_version: quote.priceVersion,
    });
  }

  #isYoung(step: Step): boolean {
    return Date.now() - (this.#options.run.startMs + step.atMs) < oldestSentMs;
  }
}

/** undefined for anything that is not a quote. */
export function givenQuote(body: unknown): GivenQuote | undefined {
  const quote = QuoteAnswer.safeParse(body).data;
  if (quote === undefined) return undefined;
  return {
    quoteId: quote.quote_id,
    finalFareMinor: quote.final_fare_minor,
    multiplier: quote.surge_multiplier,
    priceVersion: quote.price_version,
  };
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
