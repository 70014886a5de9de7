import { fromHundredths, type Hundredths } from '../../domain/units.ts';
import type { Facts, Looked, QuotesLooked } from './facts.ts';
import type { PickupFile } from './pickups.ts';
import type { WaitFigures } from './price-watch.ts';
import type { City } from './simulation.ts';
import type { Sender } from './sender.ts';
import type { Tally } from './tally.ts';

export interface ReportSources {
  readonly file: PickupFile;
  readonly city: City;
  readonly sender: Sender;
  readonly waits: WaitFigures;
  readonly retries: number;
  /** A sentence when Postgres or Redis could not be asked. */
  readonly facts: Facts | string;
  /** What the workers had still to do when the report was made. */
  readonly left: readonly string[];
  readonly ended: 'end-of-window' | 'signal';
  readonly startMs: number;
  readonly endMs: number;
}

export type Report = ReturnType<typeof makeReport>;

const mostListed = 10;

/** Lower bounds of the classes in which multipliers are counted, in hundredths. */
const classes = [100, 101, 120, 150, 200, 300] as const;
const surgingFrom = 120;

/** Everything the demo says at its end; with `--json` as it is. */
export function makeReport(sources: ReportSources) {
  const { file, city, sender, waits, retries, left, ended, startMs, endMs } = sources;
  const facts = typeof sources.facts === 'string' ? undefined : sources.facts;
  return {
    ended,
    started_at: new Date(startMs).toISOString(),
    seconds: Math.round((endMs - startMs) / 1000),
    file: { pickups: file.pickups.length, broken_lines: file.brokenLines, broken: file.broken },
    events: {
      fixes: eventFigures(sender.fixes, facts?.fixes),
      ride_requests: eventFigures(sender.requests, facts?.requests),
    },
    unanswered: sender.unsettled,
    refused: refusals([sender.fixes, sender.requests, sender.estimates]),
    retries,
    dead_letters: facts === undefined ? null : { of_this_run: facts.letters.matching, all: facts.letters.all },
    rides: { requested: city.requests, taken_by_a_driver: city.served },
    zones_priced: facts?.zonesPriced ?? null,
    zones_above_1: facts === undefined ? null : countFrom(facts.decided.highestOfZones, 101),
    zones_above_1_2: facts === undefined ? null : countFrom(facts.decided.highestOfZones, surgingFrom + 1),
    decisions: facts?.decided.decisions ?? null,
    multipliers: facts === undefined ? null : distribution(facts),
    quotes: quoteFigures(sender, facts?.quotes),
    send_to_price_ms: waits,
    quiet: left.length === 0,
    left_to_do: left,
    ...(typeof sources.facts === 'string' ? { not_read: sources.facts } : {}),
  };
}

/** Sentences about what the run was promised and did not get; none when all is well. */
export function breaches(report: Report): string[] {
  const { fixes, ride_requests: requests } = report.events;
  const missing = (fixes.not_found?.length ?? 0) + (requests.not_found?.length ?? 0);
  const letters = report.dead_letters?.of_this_run ?? 0;
  const changed = report.quotes.changed?.length ?? 0;
  return [
    ...(missing > 0 ? [`${missing} events that were answered 202 are not in the history`] : []),
    ...(letters > 0 ? [`${letters} events are dead letters`] : []),
    ...(changed > 0 ? [`${changed} quotes are not found again as they were given`] : []),
    ...('not_read' in report ? [`the stores could not be asked: ${report.not_read}`] : []),
  ];
}

/** By status and code, over events of every kind. */
function refusals(tallies: readonly Tally[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [code, count] of tallies.flatMap(({ codes }) => [...codes])) all[code] = (all[code] ?? 0) + count;
  return all;
}

function eventFigures(tally: Tally, looked: Looked | undefined) {
  return {
    sent: tally.settled,
    answered_202: tally.accepted,
    refused: tally.refused,
    given_up: tally.givenUp,
    looked_up: looked?.checked ?? null,
    in_history: looked === undefined ? null : looked.checked - looked.missing.length,
    not_found: looked?.missing ?? null,
  };
}

function quoteFigures({ estimates }: Sender, looked: QuotesLooked | undefined) {
  return {
    asked: estimates.settled,
    answered: estimates.accepted,
    refused: estimates.refused,
    given_up: estimates.givenUp,
    looked_up: looked?.checked ?? null,
    unchanged: looked?.unchanged ?? null,
    changed: looked?.changed ?? null,
  };
}

function distribution({ decided }: Facts) {
  return classes.map((from, i) => {
    const below = classes[i + 1] ?? Number.POSITIVE_INFINITY;
    const inClass = (value: Hundredths) => value >= from && value < below;
    return {
      from: fromHundredths(from),
      to: Number.isFinite(below) ? fromHundredths(below - 1) : null,
      decisions: decided.perMultiplier
        .filter(({ multiplier }) => inClass(multiplier))
        .reduce((sum, { decisions }) => sum + decisions, 0),
      zones_with_this_highest: decided.highestOfZones.filter(inClass).length,
    };
  });
}

function countFrom(values: readonly Hundredths[], least: Hundredths): number {
  return values.filter((value) => value >= least).length;
}

export function renderReport(report: Report): string {
  const { fixes, ride_requests: requests } = report.events;
  const waits = report.send_to_price_ms;
  const quotes = report.quotes;
  const again = quotes.looked_up === null ? 'not looked up' : `${quotes.unchanged} of ${quotes.looked_up} found again`;
  const rows: [string, string][] = [
    ['played', `${report.seconds} s, ended by ${report.ended === 'signal' ? 'a signal' : 'the end of the window'}`],
    ['file', `${report.file.pickups} pickups, ${report.file.broken_lines} broken lines skipped`],
    ...report.file.broken.map(({ line, reason }): [string, string] => ['', `line ${line}: ${reason}`]),
    ['fixes', eventLine(fixes)],
    ['ride requests', eventLine(requests)],
    ...Object.entries(report.refused).map(([code, count]): [string, string] => ['', `${count} refused: ${code}`]),
    ['rides', `${report.rides.taken_by_a_driver} of ${report.rides.requested} requests taken by a driver`],
    ['retries', `${report.retries}, still without an answer ${report.unanswered}`],
    ['dead letters', shown(report.dead_letters?.of_this_run)],
    ['zones priced', shown(report.zones_priced)],
    ['', `${shown(report.zones_above_1)} were above 1.00, ${shown(report.zones_above_1_2)} above 1.20`],
    ['decisions', shown(report.decisions)],
    ...(report.multipliers ?? []).map((row): [string, string] => ['', multiplierLine(row)]),
    ['quotes', `${quotes.asked} asked, ${quotes.answered} answered, ${again} unchanged`],
    ['send to price', waitLine(waits)],
    ...report.left_to_do.map((left, i): [string, string] => [i === 0 ? 'not quiet' : '', left]),
  ];
  const problems = breaches(report).map((sentence) => `BROKEN: ${sentence}`);
  return [...rows.map(([name, value]) => `${name.padEnd(15)}${value}`), ...problems].join('\n');
}

function eventLine(figures: Report['events']['fixes']): string {
  const { sent, answered_202: accepted, given_up: givenUp, looked_up: checked, in_history: found } = figures;
  const missing = (figures.not_found ?? []).slice(0, mostListed);
  return [
    `${sent} sent, ${accepted} answered 202`,
    checked === null ? 'history not read' : `${found} of ${checked} looked up are in the history`,
    ...(givenUp > 0 ? [`${givenUp} never answered`] : []),
    ...(missing.length > 0 ? [`missing ${missing.join(' ')}`] : []),
  ].join(', ');
}

function multiplierLine(row: NonNullable<Report['multipliers']>[number]): string {
  const to = row.to === null ? 'and more' : row.to === row.from ? '' : `to ${row.to.toFixed(2)}`;
  const range = `${row.from.toFixed(2)} ${to}`.padEnd(14);
  return `${range}${String(row.decisions).padStart(6)} decisions, highest of ${row.zones_with_this_highest} zones`;
}

function waitLine({ measured, unpriced, p50, p99, longest, longest_zone: zone }: WaitFigures): string {
  if (longest === null) return 'nothing measured';
  const without = unpriced > 0 ? `, ${unpriced} without a price yet` : '';
  return `longest ${seconds(longest)} (${zone}), half within ${seconds(p50)}, 99 % within ${seconds(p99)}, of ${measured}${without}`;
}

function seconds(ms: number | null): string {
  return ms === null ? '?' : `${(ms / 1000).toFixed(1)} s`;
}

function shown(value: number | null | undefined): string {
  return value === null || value === undefined ? 'not read' : String(value);
}
