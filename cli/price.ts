import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { pricingModes, pricingTypes } from '../domain/config.ts';
import { describe, print, UsageError } from './context.ts';
import { priceOnce, type PriceAnswer, type PriceOptions } from './price-once.ts';
import { allAgree, runVectors, type SectionResult } from './vectors.ts';

interface PriceFlags extends PriceOptions {
  readonly vectors?: string;
  readonly json?: boolean;
}

/** `equilibrium price`: one decision from figures on the command line; talks to nothing. */
export function registerPrice(program: Command): void {
  const command = program
    .command('price')
    .description('rate and settle one zone from given figures, or run a file of worked values')
    .option('--supply <count>', 'available drivers', number, 0)
    .option('--demand <count>', 'decayed ride requests', number, 0)
    .option('--neighbour <km,supply,demand>', 'a neighbouring zone, repeatable', neighbour, [])
    .addOption(new Option('--feed <state>', 'driver feed').choices(['healthy', 'unknown']).default('healthy'))
    .option('--age <seconds>', 'age of the observation', number, 0)
    .option('--last <multiplier>', 'multiplier in force', positive, 1)
    .option('--period-start <multiplier>', 'multiplier at the start of the period (default: the last)', positive)
    .option('--since-change <seconds>', 'since the last published change (default: none yet)', number)
    .option('--vectors <file>', 'run a file of worked values instead; exit 1 unless all agree');
  addRateKnobs(command);
  addLimits(command);
  command.action((flags: PriceFlags) => {
    if (flags.vectors !== undefined) return showVectors(flags, flags.vectors);
    const answer = priceOnce(flags);
    print(flags, answer, () => renderPrice(answer));
  });
  describe(command, 'price --supply 3 --demand 9 --algorithm piecewise --last 1.2 --max 3');
}

function addRateKnobs(command: Command): void {
  command
    .addOption(new Option('--algorithm <name>', 'pricing curve').choices(pricingTypes).default('linear'))
    .option('--linear-factor <factor>', 'slope of linear', number)
    .option('--exponential-factor <factor>', 'growth of exponential and adaptive', number)
    .option('--adaptive-factor <factor>', 'learned factor of adaptive', positive, 1)
    .option('--model <multiplier>', 'what a model asks for, with ml_based', positive)
    .option('--min <multiplier>', 'floor', positive)
    .option('--max <multiplier>', 'upper bound of rule 1', positive)
    .option('--rush-hour', 'it is rush hour')
    .option('--severe-weather', 'weather is severe')
    .option('--event', 'a special event is on')
    .option('--rush-hour-multiplier <factor>', 'of rule 2', positive)
    .option('--weather-multiplier <factor>', 'of rule 3', positive)
    .option('--event-multiplier <factor>', 'of rule 4', positive);
}

function addLimits(command: Command): void {
  command
    .addOption(new Option('--mode <mode>', 'pricing mode').choices(pricingModes).default('full_auto'))
    .option('--absolute-max <multiplier>', 'cap of the zone (default: --max)', positive)
    .option('--global-max <multiplier>', 'cap of all zones', positive)
    .option('--regulatory-cap <multiplier>', 'a cap of the regulator, repeatable', cap, [])
    .option('--limited-auto-cap <multiplier>', 'cap in mode limited_auto', positive)
    .option('--max-change <share>', 'gradual limit per period, 0–1', share)
    .option('--cooldown <seconds>', 'between published changes', number)
    .option('--override <multiplier>', 'an operator asks for this', positive)
    .option('--emergency', 'emergency mode is on')
    .option('--emergency-multiplier <multiplier>', 'its multiplier', positive)
    .option('--maintenance', 'maintenance mode is on')
    .option('--maintenance-multiplier <multiplier>', 'its multiplier', positive);
}

/** A table of the factors under the result. */
export function renderPrice(answer: PriceAnswer): string {
  const rows = answer.factors.map(({ rule, before, after, detail }) => [rule, `${before}`, `${after}`, detail]);
  const verdict = answer.held_by === null ? `moved from ${answer.last}` : `held: ${answer.held_by}`;
  const exempt = answer.exempt.length > 0 ? `, exempt from pace by ${answer.exempt.join(', ')}` : '';
  const lines = [
    `multiplier ${answer.multiplier.toFixed(2)} (${verdict}${exempt}), recommended ${answer.recommended.toFixed(2)}`,
    `rated ${answer.rated} by ${answer.algorithm_used}${answer.guard === null ? '' : ` under guard ${answer.guard}`}, ` +
      `confidence ${answer.confidence_score}`,
    `supply ${answer.smoothed_supply}, demand ${answer.smoothed_demand} after smoothing with ` +
      `${answer.neighboring_zones_count} neighbours (factor ${answer.smoothing_factor})`,
    '',
    ...table([['rule', 'before', 'after', 'detail'], ...rows]),
  ];
  return lines.join('\n');
}

/** One line per section, then every case that disagrees. */
export function renderVectors(results: readonly SectionResult[]): string {
  const rows = results.map(({ section, cases, agreed }) => [section, `${agreed} of ${cases} agree`]);
  const details = results.flatMap(({ section, disagreements }) =>
    disagreements.map(({ index, given, figures }) => {
      const found = figures.map(({ name, expected, got }) => `  ${name}: expected ${text(expected)}, got ${text(got)}`);
      return [`${section}[${index}] ${JSON.stringify(given)}`, ...found].join('\n');
    }),
  );
  return [...table([['section', 'cases'], ...rows]), ...details].join('\n');
}

function showVectors(flags: PriceFlags, file: string): void {
  const results = readVectors(file);
  print(flags, results, () => renderVectors(results));
  if (!allAgree(results)) process.exitCode = 1;
}

function readVectors(file: string): SectionResult[] {
  try {
    return runVectors(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UsageError(`cannot run ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((value, column) => value.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function text(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function number(value: string): number {
  const parsed = Number(value);
  if (value.trim() === '' || !Number.isFinite(parsed) || parsed < 0) {
    throw new InvalidArgumentError('must be a number of at least 0.');
  }
  return parsed;
}

function positive(value: string): number {
  const parsed = number(value);
  if (parsed < 0.01 || parsed > 1000) throw new InvalidArgumentError('must be between 0.01 and 1000.');
  return parsed;
}

function share(value: string): number {
  const parsed = number(value);
  if (parsed >= 1) throw new InvalidArgumentError('must be below 1.');
  return parsed;
}

function cap(value: string, before: readonly number[]): number[] {
  return [...before, positive(value)];
}

function neighbour(value: string, before: PriceOptions['neighbour']): PriceOptions['neighbour'] {
  const [distanceKm, supply, demand, ...rest] = value.split(',').map(number);
  if (distanceKm === undefined || supply === undefined || demand === undefined || rest.length > 0) {
    throw new InvalidArgumentError('must be three numbers: distance in km, supply, demand.');
  }
  return [...before, { distanceKm, supply, demand }];
}
