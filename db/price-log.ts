import type { Pool } from 'pg';
import type { VehicleClass, ZoneId } from '../domain/ids.ts';
import { type Hundredths, toHundredths } from '../domain/units.ts';

export interface RecordedPrice {
  readonly version: number;
  readonly multiplier: Hundredths;
  /** When it was published, or quoted. */
  readonly atMs: number;
}

/** The newest row of the price log of a zone ($1) and class ($2), for use within a statement. */
export const newestLogged = `(select price_version as version, new_multiplier as multiplier, "timestamp" as at
  from pricing_event_logs where zone_id = $1 and vehicle_class = $2 order by price_version desc limit 1)`;

/** As `newestLogged`, from the quotes that meet a condition. */
const newestQuoted = (condition: string) => `(select price_version as version, multiplier, issued_at as at
  from quotes where zone_id = $1 and vehicle_class = $2 and ${condition} order by price_version desc limit 1)`;

interface Row {
  readonly version: number;
  readonly multiplier: number;
  readonly at: number;
  readonly defines: boolean;
}

/** The floor of every market's default; what holds when a version is known and no price of it. */
const plain = 100 satisfies Hundredths;

/**
 * The newest version of a zone's price that Postgres knows, from the price log or from a quote that used it. Only the log,
 * or else a live quote, says what the price was: while something was away a quote may have been charged less.
 */
export async function newestRecordedPrice(
  pool: Pool,
  zoneId: ZoneId,
  vehicleClass: VehicleClass,
): Promise<RecordedPrice | null> {
  const { rows } = await pool.query<Row>(
    `select version, multiplier::float8, floor(extract(epoch from at) * 1000)::float8 as at, place < 3 as defines from (
       select *, 1 as place from ${newestLogged} logged
       union all select *, 2 from ${newestQuoted(`source = 'live'`)} live
       union all select *, 3 from ${newestQuoted('true')} quoted
     ) known order by version desc, place`,
    [zoneId, vehicleClass],
  );
  const [newest] = rows;
  if (newest === undefined || newest.version === 0) return null;
  const price = rows.find(({ defines }) => defines);
  const multiplier = price === undefined ? plain : toHundredths(price.multiplier);
  return { version: newest.version, multiplier, atMs: (price ?? newest).at };
}

/** The newest row of a zone's price log. */
export async function newestLoggedPrice(
  pool: Pool,
  zoneId: string,
  vehicleClass: VehicleClass,
): Promise<Pick<RecordedPrice, 'version' | 'multiplier'> | undefined> {
  const { rows } = await pool.query<Pick<Row, 'version' | 'multiplier'>>(
    `select version, multiplier::float8 from ${newestLogged} logged`,
    [zoneId, vehicleClass],
  );
  const [row] = rows;
  return row === undefined ? undefined : { version: row.version, multiplier: toHundredths(row.multiplier) };
}
