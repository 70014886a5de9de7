import pLimit from 'p-limit';
import { limitVersions, loggedZones, priceRows, snapshotRows } from '../../db/checks.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import { parseZoneKey } from '../../domain/ids.ts';
import { mixedHash, zoneWorkflowId } from '../../workflows/ids.ts';
import { checkAgreement, zonesOf } from './agreement.ts';
import { checkDemand } from './demand.ts';
import { type CheckDeps, pause } from './deps.ts';
import { Findings } from './findings.ts';
import { checkLimits, checkTicks } from './limits.ts';
import { checkQuotes } from './quotes.ts';
import { type QuietOptions, waitUntilQuiet } from './quiet.ts';
import { checkSupply } from './supply.ts';
import { checkSnapshots, checkVersions } from './versions.ts';

export interface MarketCheckOptions extends QuietOptions {
  /** How long stores may take to agree while zones go on ticking. */
  readonly patienceMs: number;
}

const zonesAtOnce = 8;

/** Every promise about one market that needs no ledger. */
export async function checkMarket(deps: CheckDeps, options: MarketCheckOptions): Promise<Findings> {
  const { patienceMs, say } = options;
  const findings = await waitUntilQuiet(deps, options);
  say(`${deps.market}: comparing`);
  findings.add(await settled(deps, () => checkSupply(deps), options));
  findings.add(await settled(deps, () => checkDemand(deps), options));
  const zones = await zonesOf(deps, await loggedZones(deps.pool, deps.market));
  const limit = pLimit(zonesAtOnce);
  const { configs, rules } = await limitVersions(deps.pool, deps.market);
  const found = await Promise.all(
    zones.map((zone) =>
      limit(async () => {
        const own = await checkAgreement(deps, zone, patienceMs);
        own.add(await checkLog(deps, zone, { configs, rules }));
        return own;
      }),
    ),
  );
  for (const own of found) findings.add(own);
  findings.add(await settled(deps, () => checkQuotes(deps), options));
  return findings;
}

async function checkLog(
  { pool, market }: CheckDeps,
  zone: string,
  versions: Awaited<ReturnType<typeof limitVersions>>,
): Promise<Findings> {
  const findings = new Findings();
  const address = parseZoneKey(zone);
  if (address === undefined) return findings;
  const { zoneId, vehicleClass } = address;
  // Snapshots first: what they name must then be in the log.
  const snapshots = await snapshotRows(pool, zoneId, vehicleClass);
  const rows = await priceRows(pool, zoneId, vehicleClass);
  const tickOffsetMs = mixedHash(zoneWorkflowId(market, zoneId, vehicleClass)) % decayPeriodMs;
  const limits = { zoneId, vehicleClass, tickOffsetMs, ...versions };
  checkVersions(zone, rows, findings);
  checkSnapshots(zone, rows, snapshots, findings);
  checkLimits(limits, rows, findings);
  checkTicks(limits, snapshots, findings);
  return findings;
}

/** Drivers expire while their market is read: only a difference that stays, once all is quiet again, counts. */
async function settled(
  deps: CheckDeps,
  check: () => Promise<Findings>,
  options: MarketCheckOptions,
): Promise<Findings> {
  const until = Date.now() + options.patienceMs;
  for (;;) {
    const found = await check();
    if (found.breaches.length === 0 || Date.now() >= until) return found;
    await pause(1_000);
    await waitUntilQuiet(deps, options);
  }
}
