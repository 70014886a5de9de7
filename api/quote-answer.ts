import type { QuoteRow } from '../db/quotes.ts';
import type { Factor } from '../domain/decision.ts';
import { type DemandLevel, demandLevel } from '../domain/guidance.ts';
import { toMajor } from '../domain/money.ts';
import { fareBreakdown } from '../domain/quote.ts';
import { fromHundredths } from '../domain/units.ts';
import type { Price } from './prices.ts';
import { shownFactors } from './privacy.ts';

/** What a quote shows beyond its columns, kept with it so that it can be shown again as it was issued. */
export interface QuoteDetails {
  readonly zone_name: string;
  readonly demand_level: DemandLevel;
  readonly explanation: readonly Factor[];
  readonly warning?: string | undefined;
}

const warnings = {
  live: undefined,
  redis: 'The price comes from the last known state of the zone and may lag behind demand.',
  database: 'The price comes from the last recorded state of the zone and may lag behind demand.',
  tariff: 'Live prices are not available for this zone; the fare is the tariff without surge.',
  emergency_fallback: 'Prices are not available; this is the standard fare without surge.',
} as const;

export const heldWarning = 'The quote is kept outside the main store for now; it is valid all the same.';

/** Whoever asks, a quote is made for a rider: it shows and keeps what the rider may see. */
export function detailsOf(zoneName: string, price: Price): QuoteDetails {
  const { entry, explanation } = price;
  return {
    zone_name: zoneName,
    demand_level: demandLevel(price.multiplier),
    explanation: shownFactors(explanation, entry?.decision, entry?.counts, 'rider'),
    warning: warnings[price.source],
  };
}

/** The quote as its caller sees it: amounts in major units of the currency, the `_minor` twins whole. */
export function quoteAnswer(
  row: QuoteRow,
  details: QuoteDetails,
  token: string | undefined,
  warning = details.warning,
) {
  const { currency, baseFareMinor, finalFareMinor, durationMin, distanceKm } = row;
  const parts = fareBreakdown({ currency, baseFareMinor, finalFareMinor, durationMin, distanceKm });
  return {
    quote_id: row.quoteId,
    base_fare: toMajor(baseFareMinor, currency),
    surge_multiplier: fromHundredths(row.multiplier),
    final_fare: toMajor(finalFareMinor, currency),
    base_fare_minor: baseFareMinor,
    final_fare_minor: finalFareMinor,
    currency,
    quote_valid_until: new Date(row.validUntilMs).toISOString(),
    estimated_duration: durationMin,
    estimated_distance: distanceKm,
    vehicle_type: row.vehicleType,
    zone_info: {
      zone_id: row.zoneId,
      zone_name: details.zone_name,
      current_demand_level: details.demand_level,
    },
    price_version: row.priceVersion,
    price_as_of: row.priceAsOfMs === null ? null : new Date(row.priceAsOfMs).toISOString(),
    source: row.source,
    fare_breakdown: parts.map(({ part, amountMinor, kind }) => ({
      part,
      amount: toMajor(amountMinor, currency),
      kind,
    })),
    explanation: details.explanation,
    ...(token === undefined ? {} : { quote_token: token }),
    ...(warning === undefined ? {} : { warning }),
  };
}
