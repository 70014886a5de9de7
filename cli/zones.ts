import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { loadMarkets, storeMarket, storeZones } from '../db/markets.ts';
import { defaultTariff } from '../domain/fare.ts';
import type { Boundary, Market } from '../domain/geography.ts';
import { defaultAverageBaseFare } from '../domain/guidance.ts';
import { type MarketId, parseMarketId } from '../domain/ids.ts';
import { readBoundary } from '../geo/geojson.ts';
import { convexHull } from '../geo/polygon.ts';
import { importZones, type ZoneImport, type ZoneImportOptions } from '../geo/zone-import.ts';
import { createPool } from '../platform/connections.ts';
import { projectRoot } from '../platform/paths.ts';
import { type CliContext, describe, print, UsageError } from './context.ts';

/** What is known of a market before its zones; what is left out is kept as stored, or the default. */
interface MarketSettings {
  readonly name?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly boundary?: Boundary | undefined;
}

interface ImportFlags extends Omit<MarketSettings, 'boundary'> {
  readonly market: string;
  readonly boundary?: string;
  readonly numberProperty?: string;
  readonly nameProperty?: string;
  readonly groupProperty?: string;
  readonly json?: boolean;
}

/** What an import did; also its `--json` output. */
export interface ImportReport extends Pick<ZoneImport, 'conflicts' | 'slivers' | 'rejected'> {
  readonly market: MarketId;
  readonly zones: number;
  readonly cells: number;
}

const newYork: Required<Omit<MarketSettings, 'boundary'>> = {
  name: 'New York',
  timeZone: 'America/New_York',
  currency: 'USD',
};

/** `equilibrium zones import`. */
export function registerZones(program: Command, context: CliContext): void {
  const zones = program.command('zones').description('zones of a market');
  const command = zones
    .command('import <geojson>')
    .description('make or replace named zones from the polygons of a GeoJSON file')
    .option('--market <id>', 'market the zones belong to', 'nyc')
    .option('--name <name>', 'name of the market')
    .option('--time-zone <zone>', 'IANA time zone of the market, needed for a new one')
    .option('--currency <code>', 'ISO 4217 currency of the market, needed for a new one')
    .option('--boundary <geojson>', 'file with one polygon: where the market serves (default: hull of the zones)')
    .option('--number-property <name>', 'property with the number of a zone (default: location_id)')
    .option('--name-property <name>', 'property with the name of a zone (default: zone)')
    .option('--group-property <name>', 'property with the district of a zone (default: borough)')
    .action(async (file: string, flags: ImportFlags) => {
      const pool = createPool(context.config().databaseUrl);
      try {
        const report = await importFile(pool, file, flags);
        print(flags, report, () => renderReport(report));
      } finally {
        await pool.end();
      }
    });
  describe(command, 'zones import data/nyc-taxi-zones.geojson --market nyc');
}

/** The zones that ship with the project. A market that already has zones is left as it is: undefined. */
export async function importNewYork(pool: Pool): Promise<ImportReport | undefined> {
  const marketId = marketIdOf('nyc');
  const stored = await findMarket(pool, marketId);
  if (stored !== undefined && stored.zones.length > 0) return undefined;
  const file = join(projectRoot(), 'data', 'nyc-taxi-zones.geojson');
  return importInto(pool, readJson(file), { marketId }, newYork);
}

export function renderReport({ market, zones, cells, conflicts, slivers, rejected }: ImportReport): string {
  return [
    `${market}: ${zones} zones with ${cells} cells`,
    `${conflicts.length} cells claimed more than once`,
    ...conflicts.map(({ cell, winner, losers, by }) => `  ${cell} to ${winner} (${by}), not ${losers.join(', ')}`),
    `${slivers.length} zones too thin to hold the centre of a cell`,
    ...slivers.map(
      ({ zoneId, cells: owned }) => `  ${zoneId}: ${owned === 0 ? 'no cell at all' : 'the cell of its centroid'}`,
    ),
    `${rejected.length} features rejected`,
    ...rejected.map(({ index, reason }) => `  feature ${index}: ${reason}`),
  ].join('\n');
}

async function importFile(pool: Pool, file: string, flags: ImportFlags): Promise<ImportReport> {
  const marketId = marketIdOf(flags.market);
  const boundary = flags.boundary === undefined ? undefined : boundaryOf(readJson(flags.boundary));
  const preset = flags.market === 'nyc' ? newYork : {};
  return importInto(pool, readJson(file), { ...flags, marketId, boundary }, { ...preset, ...flags, boundary });
}

async function importInto(
  pool: Pool,
  geojson: unknown,
  options: ZoneImportOptions,
  settings: MarketSettings,
): Promise<ImportReport> {
  const {
    zones,
    boundary: drawn,
    ...findings
  } = orUsageError('the zones cannot be used', () => importZones(geojson, options));
  const stored = await findMarket(pool, options.marketId);
  // Zones that were there before stay inside.
  const hull = stored === undefined ? drawn : convexHull([stored.boundary, drawn]);
  await storeMarket(pool, marketOf(options.marketId, stored, settings, settings.boundary ?? hull ?? drawn));
  const counts = await storeZones(pool, options.marketId, zones);
  return { market: options.marketId, ...counts, ...findings };
}

function marketOf(
  marketId: MarketId,
  stored: Market | undefined,
  settings: MarketSettings,
  boundary: Boundary,
): Market {
  const timeZone = settings.timeZone ?? stored?.timeZone;
  const currency = settings.currency ?? stored?.currency;
  if (timeZone === undefined || currency === undefined) {
    throw new UsageError(`${marketId} is a new market and needs --time-zone and --currency`);
  }
  return {
    marketId,
    name: settings.name ?? stored?.name ?? marketId,
    timeZone: knownTimeZone(timeZone),
    currency,
    tariff: { ...(stored?.tariff ?? defaultTariff), currency },
    speedByHour: stored?.speedByHour ?? null,
    averageBaseFare: stored?.averageBaseFare ?? defaultAverageBaseFare,
    boundary,
  };
}

async function findMarket(pool: Pool, marketId: MarketId) {
  return (await loadMarkets(pool)).find((market) => market.marketId === marketId);
}

function marketIdOf(text: string): MarketId {
  const marketId = parseMarketId(text);
  if (marketId === undefined) throw new UsageError(`${text} is not a market id (lower-case letters, digits, dashes)`);
  return marketId;
}

function boundaryOf(document: unknown): Boundary {
  const isFeature = typeof document === 'object' && document !== null && 'geometry' in document;
  const boundary = readBoundary(isFeature ? document.geometry : document);
  if (typeof boundary === 'string') throw new UsageError(`the boundary cannot be used: ${boundary}`);
  return boundary;
}

function knownTimeZone(timeZone: string): string {
  return orUsageError(
    'no such time zone',
    () => new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone,
  );
}

function readJson(file: string): unknown {
  return orUsageError(`cannot read ${file}`, () => JSON.parse(readFileSync(file, 'utf8')));
}

function orUsageError<Result>(what: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw new UsageError(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
