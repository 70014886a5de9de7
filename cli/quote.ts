import { type Command, InvalidArgumentError, Option } from 'commander';
import { vehicleTypes, type VehicleType } from '../domain/ids.ts';
import { loadKeys } from '../platform/keys.ts';
import { mintToken } from '../platform/tokens.ts';
import { type CliContext, describe, print, UsageError } from './context.ts';

interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

interface QuoteOptions {
  readonly from: Point;
  readonly to: Point;
  readonly type: VehicleType;
  readonly rider: string;
  readonly json?: boolean;
}

export function registerQuote(program: Command, context: CliContext): void {
  const command = program
    .command('quote')
    .description('ask the running API what a ride costs now')
    .requiredOption('--from <lat,lng>', 'pickup', point)
    .requiredOption('--to <lat,lng>', 'dropoff', point)
    .addOption(new Option('--type <type>', 'vehicle').choices(vehicleTypes).default('standard'))
    .option('--rider <id>', 'on whose behalf', 'cli')
    .action(async (options: QuoteOptions) => {
      const answer = await askForQuote(context, options);
      print(options, answer, () => describeQuote(answer));
    });
  describe(command, 'quote --from 40.7580,-73.9855 --to 40.7128,-74.0060 --type xl');
}

async function askForQuote(context: CliContext, { from, to, type, rider }: QuoteOptions): Promise<Quote> {
  const keys = loadKeys(context.env['EQUILIBRIUM_AUTH_KEYS'] || `${context.home()}/keys.json`);
  const token = await mintToken(keys, { role: 'rider', subject: rider, hours: 0.1 });
  const url = new URL('/api/v1/pricing/estimate', context.apiUrl());
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ pickup_location: from, dropoff_location: to, vehicle_type: type }),
    signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => {
    throw new UsageError(`The API at ${url.origin} does not answer; is \`equilibrium up\` running? (${String(error)})`);
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new UsageError(problemText(response.status, body));
  return body as Quote;
}

/** The part of the API's answer that is shown as text; `--json` shows all of it. */
interface Quote {
  readonly quote_id: string;
  readonly final_fare: number;
  readonly base_fare: number;
  readonly surge_multiplier: number;
  readonly currency: string;
  readonly estimated_distance: number;
  readonly estimated_duration: number;
  readonly quote_valid_until: string;
  readonly source: string;
  readonly zone_info: { readonly zone_id: string; readonly zone_name: string };
}

function describeQuote(quote: Quote): string {
  return [
    `${quote.final_fare.toFixed(2)} ${quote.currency}  (${quote.base_fare.toFixed(2)} × ${quote.surge_multiplier.toFixed(2)}, source ${quote.source})`,
    `${quote.zone_info.zone_name} [${quote.zone_info.zone_id}], ${quote.estimated_distance} km, ${quote.estimated_duration} min`,
    `quote ${quote.quote_id}, honoured until ${quote.quote_valid_until}`,
  ].join('\n');
}

function problemText(status: number, body: unknown): string {
  const { title, detail } = (typeof body === 'object' && body !== null ? body : {}) as {
    title?: string;
    detail?: string;
  };
  return `The API refused (${status}): ${[title, detail].filter((part) => part !== undefined).join(': ')}`;
}

function point(text: string): Point {
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('a place is written as latitude,longitude, for instance 40.7580,-73.9855');
  return { latitude: Number(match[1]), longitude: Number(match[2]) };
}
