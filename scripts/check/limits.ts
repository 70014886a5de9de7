import type { ConfigVersion, PriceRow, RulesVersion, SnapshotRow } from '../../db/checks.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import type { VehicleClass, ZoneId } from '../../domain/ids.ts';
import { periodLimits } from '../../domain/settle.ts';
import { floorHundredths, fromHundredths, type Hundredths } from '../../domain/units.ts';
import type { Findings } from './findings.ts';

export interface ZoneLimits {
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
  readonly configs: readonly ConfigVersion[];
  readonly rules: readonly RulesVersion[];
  /** Where the ticks of the zone lie within a decay period, ms. */
  readonly tickOffsetMs: number;
}

/** Exemptions of decisions that go back to an earlier price instead of rating one. */
const unrated = ['outage-drift', 'recovered'];
const knownExemptions = ['override', 'emergency', 'maintenance', 'cap', 'outage-drift', 'recovered'];

function isUnrated(exempt: readonly string[]): boolean {
  return unrated.some((trigger) => exempt.includes(trigger));
}

/** P5 and P8 over the whole price log of a zone. */
export function checkLimits(limits: ZoneLimits, rows: readonly PriceRow[], findings: Findings): void {
  const zone = `${limits.zoneId}:${limits.vehicleClass}`;
  rows.forEach((row, i) => {
    const wrong = [
      ...capBreaches(limits, row),
      ...factorBreaches(row),
      ...(row.exempt.length === 0 ? paceBreaches(limits, rows, i) : exemptionBreaches(row)),
    ];
    findings.count('P5');
    for (const what of wrong) findings.breach('P5', zone, `version ${row.version}: ${what}`);
    if (row.guard !== 'feed-stale') return;
    findings.expect(row.to <= row.from || row.exempt.includes('override'), 'P8', zone, () => {
      return `version ${row.version} rises from ${row.from} to ${row.to} hundredths without a trusted feed`;
    });
  });
}

/** P5: snapshots lie on the zone's own ticks, and show nothing above a cap that any configuration allowed. */
export function checkTicks(limits: ZoneLimits, snapshots: readonly SnapshotRow[], findings: Findings): void {
  const zone = `${limits.zoneId}:${limits.vehicleClass}`;
  const cap = highestCap(limits);
  for (const { atMs, multiplier } of snapshots) {
    const aligned = (atMs - limits.tickOffsetMs) % decayPeriodMs === 0;
    findings.expect(aligned, 'P5', zone, () => `the snapshot of ${atMs} is not on a tick of its zone`);
    if (multiplier > cap) findings.breach('P5', zone, `the snapshot of ${atMs} shows ${multiplier}, above every cap`);
  }
}

/** The configuration a decision names: the narrowest one of that version that existed when it was decided. */
function configOf({ zoneId, vehicleClass, configs }: ZoneLimits, row: PriceRow): ConfigVersion | undefined {
  return configs
    .filter(({ version, createdAtMs }) => version === row.configVersion && createdAtMs <= row.decidedAtMs)
    .filter((config) => fits(config.zoneId, zoneId) && fits(config.vehicleClass, vehicleClass))
    .toSorted((a, b) => narrowness(b) - narrowness(a))[0];
}

function fits(own: string | null, due: string): boolean {
  return own === null || own === due;
}

function narrowness({ zoneId, vehicleClass }: ConfigVersion): number {
  return (zoneId === null ? 0 : 2) + (vehicleClass === null ? 0 : 1);
}

function capBreaches(limits: ZoneLimits, row: PriceRow): string[] {
  const cap = capOf(limits, row);
  if (cap === undefined) return [`names configuration ${row.configVersion} and rules ${row.globalVersion}, unknown`];
  return row.to > cap ? [`${row.to} hundredths is above the cap of ${cap}`] : [];
}

/** undefined when the decision names a configuration that does not exist. */
function capOf(limits: ZoneLimits, row: PriceRow): Hundredths | undefined {
  // What follows an outage was made without a rating, under whatever configuration the zone last knew.
  if (isUnrated(row.exempt)) return highestCap(limits);
  const config = configOf(limits, row);
  const rules = limits.rules.find(({ version }) => version === row.globalVersion);
  return config === undefined || rules === undefined ? undefined : cap(config, rules);
}

function highestCap({ configs, rules }: ZoneLimits): Hundredths {
  return Math.max(...configs.flatMap((config) => rules.map((rule) => cap(config, rule))));
}

function cap({ absoluteMax, limitedAutoCap }: ConfigVersion, { maxGlobalMultiplier }: RulesVersion): Hundredths {
  return floorHundredths(Math.min(absoluteMax, maxGlobalMultiplier, limitedAutoCap ?? Number.POSITIVE_INFINITY));
}

/** Factors lead without a gap from 1 (or, in a drift, from the last price) to what was published. */
function factorBreaches({ factors, to, from, exempt }: PriceRow): string[] {
  const start = isUnrated(exempt) ? fromHundredths(from) : 1;
  const wrong: string[] = [];
  let value = start;
  for (const { rule, before, after } of factors) {
    if (before !== value) wrong.push(`factor ${rule} begins at ${before}, the one before ended at ${value}`);
    value = after;
  }
  if (value !== fromHundredths(to)) wrong.push(`its factors end at ${value}, published was ${fromHundredths(to)}`);
  return wrong;
}

function exemptionBreaches({ exempt, from, to }: PriceRow): string[] {
  const unknown = exempt.filter((name) => !knownExemptions.includes(name));
  const wrong = unknown.map((name) => `names the exemption ${name}, which there is none of`);
  // All exemptions but an operator's override only ever lower a price.
  if (!exempt.includes('override') && to > from) wrong.push(`rises from ${from} to ${to} under ${exempt.join(', ')}`);
  return wrong;
}

function paceBreaches(limits: ZoneLimits, rows: readonly PriceRow[], i: number): string[] {
  const row = rows[i];
  const config = row && configOf(limits, row);
  const rules = limits.rules.find(({ version }) => version === row?.globalVersion);
  if (row === undefined || config === undefined || rules === undefined) return [];
  const wrong: string[] = [];
  const waitedMs = row.decidedAtMs - (rows[i - 1]?.decidedAtMs ?? Number.NEGATIVE_INFINITY);
  // Without a trusted feed the cooldown does not apply: a price must be free to fall.
  if (row.guard !== 'feed-stale' && waitedMs < rules.cooldownMs) {
    wrong.push(`${waitedMs} ms after the change before, within the cooldown of ${rules.cooldownMs} ms`);
  }
  const start = periodStart(limits, rows, i);
  const { low, high } = periodLimits(start, config.maxChangePerPeriod);
  // A cap wins over the lower limit.
  if (row.to > high || (row.to < low && row.to < cap(config, rules))) {
    wrong.push(`${row.to} hundredths is outside ${low} to ${high}, its period having begun at ${start}`);
  }
  return wrong;
}

/** The multiplier in force at the tick before the decision; a drift after an outage begins anew from where it ended. */
function periodStart({ tickOffsetMs }: ZoneLimits, rows: readonly PriceRow[], i: number): Hundredths {
  const decidedAtMs = rows[i]?.decidedAtMs ?? 0;
  const tickMs = Math.floor((decidedAtMs - tickOffsetMs) / decayPeriodMs) * decayPeriodMs + tickOffsetMs;
  let first = i;
  for (let before = i - 1; before >= 0; before -= 1) {
    const row = rows[before];
    if (row === undefined || row.decidedAtMs < tickMs || isUnrated(row.exempt)) break;
    first = before;
  }
  return rows[first]?.from ?? 0;
}
