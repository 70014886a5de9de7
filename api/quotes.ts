import type { Request, Response } from 'express';
import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import type { NewQuote, StoredQuote } from '../db/quotes.ts';
import { fare, defaultTariff, type Fare, surged } from '../domain/fare.ts';
import { classOf, type VehicleType, vehicleTypes } from '../domain/ids.ts';
import type { Place } from '../geo/zone-index.ts';
import { answer } from './answer.ts';
import { actingFor, callerOf } from './auth.ts';
import { parse } from './body.ts';
import type { EventLog } from './event-log.ts';
import type { Geography } from './geography.ts';
import { newId } from './ids.ts';
import { floorPrice, type Price, type Prices } from './prices.ts';
import { Problem } from './problem.ts';
import { detailsOf, heldWarning, quoteAnswer, type QuoteDetails } from './quote-answer.ts';
import type { QuoteBook } from './quote-book.ts';
import { type QuoteKey, signQuote } from './quote-token.ts';
import { pathParameter, type Route } from './route.ts';
import { appId, Place as Position, vehicleType } from './schemas.ts';

const Estimate = z
  .strictObject({
    pickup_location: Position,
    dropoff_location: Position,
    vehicle_type: vehicleType.optional(),
    vehicle_types: z.array(vehicleType).min(1).max(vehicleTypes.length).optional(),
    user_id: appId.optional(),
  })
  .refine((asked) => (asked.vehicle_type === undefined) !== (asked.vehicle_types === undefined), {
    path: ['vehicle_type'],
    message: 'name either vehicle_type or vehicle_types',
  })
  .refine(({ vehicle_types: types = [] }) => new Set(types).size === types.length, {
    path: ['vehicle_types'],
    message: 'names a type twice',
  });

type Estimate = z.output<typeof Estimate>;

export interface QuoteDeps {
  readonly geography: Geography;
  readonly prices: Prices;
  readonly book: QuoteBook;
  readonly events: EventLog;
  readonly riderHash: (rider: string) => string;
  /** The first signs. */
  readonly quoteKeys: readonly [QuoteKey, ...QuoteKey[]];
}

export function quoteRoutes(deps: QuoteDeps): Route[] {
  return [
    {
      method: 'post',
      path: '/api/v1/pricing/estimate',
      access: ['rider', 'service'],
      body: 'json',
      handle: (req, res) => postEstimate(deps, req, res),
    },
    {
      method: 'get',
      path: '/api/v1/pricing/quotes/:quote_id',
      access: ['rider', 'service', 'operator', 'admin'],
      handle: (req, res) => getQuote(deps, req, res),
    },
  ];
}

async function postEstimate(deps: QuoteDeps, req: Request, res: Response): Promise<void> {
  const asked = parse(Estimate, req.body);
  const subject = actingFor(callerOf(res), asked.user_id);
  const { vehicle_type: type } = asked;
  if (type !== undefined) {
    answer(res, await estimate(deps, asked, type, subject));
    return;
  }
  const types = asked.vehicle_types ?? [];
  answer(res, { quotes: await Promise.all(types.map((each) => estimate(deps, asked, each, subject))) });
}

async function estimate(deps: QuoteDeps, asked: Estimate, type: VehicleType, subject: string) {
  const nowMs = Date.now();
  const { place, price, ride } = await priced(deps, asked, type, nowMs);
  const details = detailsOf(place.zoneName, price);
  const quote = newQuote({ asked, type, subject, place, price, ride, details }, deps.quoteKeys[0].keyId);
  const issued = await deps.book.issue(quote);
  noteDemand(deps, quote, nowMs);
  const row = { ...quote, issuedAtMs: issued.issuedAtMs, validUntilMs: issued.validUntilMs };
  const warning = issued.kept === 'database' ? details.warning : (details.warning ?? heldWarning);
  return quoteAnswer(row, details, signQuote(deps.quoteKeys[0], row), warning);
}

interface Priced {
  readonly place: Pick<Place, 'zoneName'> & { readonly marketId: string; readonly zoneId: string };
  readonly price: Price;
  readonly ride: Fare;
}

async function priced(deps: QuoteDeps, asked: Estimate, type: VehicleType, nowMs: number): Promise<Priced> {
  const { geography, prices } = deps;
  if (!geography.loaded) return emergency(asked);
  const { pickup_location: pickup, dropoff_location: dropoff } = asked;
  const place = geography.map().at(pickup.latitude, pickup.longitude);
  const tariff = place === undefined ? undefined : geography.tariff(place.marketId, nowMs);
  if (place === undefined || tariff === undefined) throw outsideEveryMarket('pickup_location');
  if (geography.map().at(dropoff.latitude, dropoff.longitude) === undefined)
    throw outsideEveryMarket('dropoff_location');
  const found = prices.price(place.marketId, place.zoneId, classOf(type), nowMs);
  const price = found instanceof Promise ? await found : found;
  return { place, price, ride: fare(pickup, dropoff, type, tariff, price.multiplier) };
}

function outsideEveryMarket(path: keyof Estimate): Problem {
  return new Problem('outside-service-area', { errors: [{ path, message: 'lies outside every market' }] });
}

const emergencyFareMinor = 850;
const unknownPlace = { marketId: 'unknown', zoneId: 'unknown', zoneName: 'unknown' };

/** A process that never saw a tariff still answers, with the one fare everybody knows. */
function emergency({ pickup_location: pickup, dropoff_location: dropoff }: Estimate): Priced {
  const price = floorPrice(100, 'emergency_fallback');
  const ride = fare(pickup, dropoff, 'standard', defaultTariff, price.multiplier);
  const finalFareMinor = surged(emergencyFareMinor, price.multiplier);
  return { place: unknownPlace, price, ride: { ...ride, baseFareMinor: emergencyFareMinor, finalFareMinor } };
}

interface QuoteParts extends Priced {
  readonly asked: Estimate;
  readonly type: VehicleType;
  readonly subject: string;
  readonly details: QuoteDetails;
}

function newQuote({ asked, type, subject, place, price, ride, details }: QuoteParts, keyId: string): NewQuote {
  return {
    quoteId: newId(),
    subject,
    marketId: place.marketId,
    zoneId: place.zoneId,
    vehicleClass: classOf(type),
    vehicleType: type,
    priceVersion: price.version,
    priceAsOfMs: price.asOfMs,
    baseFareMinor: ride.baseFareMinor,
    multiplier: price.multiplier,
    finalFareMinor: ride.finalFareMinor,
    currency: ride.currency,
    pickup: [asked.pickup_location.latitude, asked.pickup_location.longitude],
    dropoff: [asked.dropoff_location.latitude, asked.dropoff_location.longitude],
    distanceKm: ride.distanceKm,
    durationMin: ride.durationMin,
    source: price.source,
    details: JSON.stringify(details),
    signingKeyId: keyId,
  };
}

function noteDemand({ events, geography, riderHash }: QuoteDeps, quote: NewQuote, nowMs: number): void {
  const market = geography.markets().find((known) => known === quote.marketId);
  if (market === undefined) return;
  events.noteEstimate(market, {
    eventId: quote.quoteId,
    kind: 'estimate',
    rider: riderHash(quote.subject),
    latitude: quote.pickup[0],
    longitude: quote.pickup[1],
    vehicleType: quote.vehicleType,
    timestampMs: nowMs,
    receivedAtMs: nowMs,
  });
}

async function getQuote({ book, quoteKeys }: QuoteDeps, req: Request, res: Response): Promise<void> {
  const caller = callerOf(res);
  const quoteId = pathParameter(req, 'quote_id');
  const quote = isUuid(quoteId) ? await book.find(quoteId) : undefined;
  // To a rider another rider's quote is no different from none. A service may act for any of them.
  if (quote === undefined || (caller.role === 'rider' && caller.subject !== quote.subject)) {
    throw new Problem('quote-not-found');
  }
  const details: QuoteDetails = JSON.parse(quote.details);
  const key = quoteKeys.find(({ keyId }) => keyId === quote.signingKeyId);
  // Who only looks at a quote gets nothing to use it with.
  const mayUse = caller.role === 'rider' || caller.role === 'service';
  const token = mayUse && key !== undefined ? signQuote(key, quote) : undefined;
  res.json({ ...quoteAnswer(quote, details, token), status: statusOf(quote) });
}

function statusOf(quote: StoredQuote): 'open' | 'accepted' | 'expired' {
  if (quote.acceptedAtMs !== null) return 'accepted';
  return quote.expired ? 'expired' : 'open';
}
