import type { Pool } from 'pg';
import type { VehicleClass, VehicleType } from '../domain/ids.ts';
import { fromHundredths, type Hundredths, toHundredths } from '../domain/units.ts';

export const priceSources = ['live', 'redis', 'database', 'tariff', 'emergency_fallback'] as const;
export type PriceSource = (typeof priceSources)[number];

/** A quote before the database has said when it was issued. Fares are whole minor units of `currency`. */
export interface NewQuote {
  readonly quoteId: string;
  readonly subject: string;
  readonly marketId: string;
  readonly zoneId: string;
  readonly vehicleClass: VehicleClass;
  readonly vehicleType: VehicleType;
  readonly priceVersion: number;
  /** ms since 1970; null where no price entry stood behind the quote. */
  readonly priceAsOfMs: number | null;
  readonly baseFareMinor: number;
  readonly multiplier: Hundredths;
  readonly finalFareMinor: number;
  readonly currency: string;
  readonly pickup: readonly [latitude: number, longitude: number];
  readonly dropoff: readonly [latitude: number, longitude: number];
  readonly distanceKm: number;
  readonly durationMin: number;
  readonly source: PriceSource;
  /** JSON text of what else the answer showed. */
  readonly details: string;
  readonly signingKeyId: string;
}

export interface QuoteTimes {
  readonly issuedAtMs: number;
  readonly validUntilMs: number;
}

/** A quote with its times: what `{market}:quotes-pending` carries in its field `quote`, as JSON. */
export type QuoteRow = NewQuote & QuoteTimes;

export interface StoredQuote extends QuoteRow {
  readonly acceptedAtMs: number | null;
  /** By the clock of the database, at the moment of the query. */
  readonly expired: boolean;
}

/** How long a quote is kept open, from the database's now(). */
export const quoteLifetimeMs = 5 * 60_000;

const columns = `quote_id, subject, market_id, zone_id, vehicle_class, vehicle_type, price_version, price_as_of,
  base_fare_minor, multiplier, final_fare_minor, currency, pickup_lat, pickup_lng, dropoff_lat, dropoff_lng,
  distance_km, duration_min, source, details, signing_key_id`;

const selected = `q.quote_id, q.subject, q.market_id, q.zone_id, q.vehicle_class, q.vehicle_type, q.price_version,
  to_timestamp(q.price_as_of / 1000.0), q.base_fare_minor, q.multiplier, q.final_fare_minor, q.currency, q.pickup_lat,
  q.pickup_lng, q.dropoff_lat, q.dropoff_lng, q.distance_km, q.duration_min, q.source, q.details::jsonb, q.signing_key_id`;

const unnested = `unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::float8[],
  $9::bigint[], $10::numeric[], $11::bigint[], $12::text[], $13::float8[], $14::float8[], $15::float8[], $16::float8[],
  $17::numeric[], $18::int[], $19::text[], $20::text[], $21::text[]`;

const insertSql = `insert into quotes (${columns}) select ${selected} from ${unnested}) as q(${columns})`;

/** All rows or none, in one commit; they share the answered times. */
export async function insertQuotes(pool: Pool, rows: readonly NewQuote[]): Promise<QuoteTimes> {
  const { rows: stored } = await pool.query<TimesRow>({
    name: 'quotes-insert',
    text: `with stored as (${insertSql} returning issued_at, valid_until)
           select ${epochMs('issued_at')} as issued, ${epochMs('valid_until')} as until from stored limit 1`,
    values: values(rows),
  });
  return times(stored[0]);
}

/** One row; a row that is there already is left alone, and its times are answered. */
export async function insertQuote(pool: Pool, row: NewQuote): Promise<QuoteTimes> {
  const { rows: stored } = await pool.query<TimesRow>({
    name: 'quote-insert',
    text: `${insertSql} on conflict (quote_id) do update set quote_id = excluded.quote_id
           returning ${epochMs('issued_at')} as issued, ${epochMs('valid_until')} as until`,
    values: values([row]),
  });
  return times(stored[0]);
}

/**
 * Quotes that were answered while the database was away; storing them twice is the same as once. Should a row have
 * got through before the outage was noticed, the times that the caller was told win.
 */
export async function storePendingQuotes(pool: Pool, rows: readonly QuoteRow[]): Promise<void> {
  if (rows.length === 0) return;
  // One statement may not touch a row twice, and the stream may hold a repeat.
  const distinct = [...new Map(rows.map((row) => [row.quoteId, row])).values()];
  await pool.query({
    name: 'quotes-pending',
    text: `insert into quotes (${columns}, issued_at, valid_until)
           select ${selected}, to_timestamp(q.issued_at / 1000.0), to_timestamp(q.valid_until / 1000.0)
           from ${unnested}, $22::float8[], $23::float8[]) as q(${columns}, issued_at, valid_until)
           on conflict (quote_id) do update set issued_at = excluded.issued_at, valid_until = excluded.valid_until
           where quotes.accepted_at is null`,
    values: [...values(distinct), distinct.map((row) => row.issuedAtMs), distinct.map((row) => row.validUntilMs)],
  });
}

/** undefined when there is no such quote, whoever asks; the caller checks whose it is. */
export async function readQuote(pool: Pool, quoteId: string): Promise<StoredQuote | undefined> {
  const { rows } = await pool.query<QuoteRecord>({
    name: 'quote-read',
    text: `select quote_id, subject, market_id, zone_id, vehicle_class, vehicle_type, price_version,
             ${epochMs('price_as_of')} as price_as_of, base_fare_minor::float8, multiplier::float8,
             final_fare_minor::float8, currency, pickup_lat, pickup_lng, dropoff_lat, dropoff_lng, distance_km::float8,
             duration_min, source, details::text, coalesce(signing_key_id, '') as signing_key_id,
             ${epochMs('issued_at')} as issued, ${epochMs('valid_until')} as until,
             ${epochMs('accepted_at')} as accepted, valid_until <= now() as expired
           from quotes where quote_id = $1`,
    values: [quoteId],
  });
  return rows[0] === undefined ? undefined : storedQuote(rows[0]);
}

/** The database's clock, ms since 1970. */
export async function databaseNow(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ now: number }>(`select ${epochMs('clock_timestamp()')} as now`);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('the database did not answer with its time');
  return now;
}

interface TimesRow {
  readonly issued: number;
  readonly until: number;
}

interface QuoteRecord extends TimesRow {
  readonly quote_id: string;
  readonly subject: string;
  readonly market_id: string;
  readonly zone_id: string;
  readonly vehicle_class: VehicleClass;
  readonly vehicle_type: VehicleType;
  readonly price_version: number;
  readonly price_as_of: number | null;
  readonly base_fare_minor: number;
  readonly multiplier: number;
  readonly final_fare_minor: number;
  readonly currency: string;
  readonly pickup_lat: number;
  readonly pickup_lng: number;
  readonly dropoff_lat: number;
  readonly dropoff_lng: number;
  readonly distance_km: number;
  readonly duration_min: number;
  readonly source: PriceSource;
  readonly details: string;
  readonly signing_key_id: string;
  readonly accepted: number | null;
  readonly expired: boolean;
}

function storedQuote(row: QuoteRecord): StoredQuote {
  return {
    quoteId: row.quote_id,
    subject: row.subject,
    marketId: row.market_id,
    zoneId: row.zone_id,
    vehicleClass: row.vehicle_class,
    vehicleType: row.vehicle_type,
    priceVersion: row.price_version,
    priceAsOfMs: row.price_as_of,
    baseFareMinor: row.base_fare_minor,
    multiplier: toHundredths(row.multiplier),
    finalFareMinor: row.final_fare_minor,
    currency: row.currency,
    pickup: [row.pickup_lat, row.pickup_lng],
    dropoff: [row.dropoff_lat, row.dropoff_lng],
    distanceKm: row.distance_km,
    durationMin: row.duration_min,
    source: row.source,
    details: row.details,
    signingKeyId: row.signing_key_id,
    issuedAtMs: row.issued,
    validUntilMs: row.until,
    acceptedAtMs: row.accepted,
    expired: row.expired,
  };
}

/** Whole milliseconds, as everything outside the database counts them. */
function epochMs(expression: string): string {
  return `floor(extract(epoch from ${expression}) * 1000)::float8`;
}

function times(row: TimesRow | undefined): QuoteTimes {
  if (row === undefined) throw new Error('the database did not answer with the times of a quote');
  return { issuedAtMs: row.issued, validUntilMs: row.until };
}

function values(rows: readonly NewQuote[]): unknown[] {
  return [
    rows.map((row) => row.quoteId),
    rows.map((row) => row.subject),
    rows.map((row) => row.marketId),
    rows.map((row) => row.zoneId),
    rows.map((row) => row.vehicleClass),
    rows.map((row) => row.vehicleType),
    rows.map((row) => row.priceVersion),
    rows.map((row) => row.priceAsOfMs),
    rows.map((row) => row.baseFareMinor),
    rows.map((row) => fromHundredths(row.multiplier)),
    rows.map((row) => row.finalFareMinor),
    rows.map((row) => row.currency),
    rows.map((row) => row.pickup[0]),
    rows.map((row) => row.pickup[1]),
    rows.map((row) => row.dropoff[0]),
    rows.map((row) => row.dropoff[1]),
    rows.map((row) => row.distanceKm),
    rows.map((row) => row.durationMin),
    rows.map((row) => row.source),
    rows.map((row) => row.details),
    rows.map((row) => row.signingKeyId),
  ];
}
