import { type Command, InvalidArgumentError, Option } from 'commander';
import { type MarketId, parseMarketId } from '../domain/ids.ts';
import { createPool, createRedis, redisReady } from '../platform/connections.ts';
import { loadKeys } from '../platform/keys.ts';
import { mintToken } from '../platform/tokens.ts';
import { type CliContext, describe, print, UsageError } from './context.ts';
import { readPickups } from './demo/pickups.ts';
import { planRequests } from './demo/plan.ts';
import { breaches, type Report, renderReport } from './demo/report.ts';
import { runDemo } from './demo/run.ts';
import { StatusLine } from './demo/status.ts';

interface Flags {
  readonly file: string;
  readonly from: number;
  readonly to?: number;
  readonly speed: number;
  readonly drivers: number;
  readonly seed: number;
  readonly market: MarketId;
  readonly api?: string;
  readonly token?: string;
  readonly ledger?: string;
  readonly loop?: boolean;
  readonly exitWhenDone?: boolean;
  readonly json?: boolean;
}

const details = `
The file has the columns requested_at (local time), lat and lng. Its times are moved to now and compressed by --speed.
Drivers begin where pickups are dense and wander; the nearest available one takes a request, drives to the pickup and on
to the dropoff (another pickup's place) at no more than 30 m/s and is occupied until it is there. Each sends a fix every
5 seconds. One rider in three asks for an estimate first. All of it goes through the HTTP API with a service token.

At the end it waits until the streams are read and no zone waits for its signal, then looks up what was answered 202.
"send to price" is measured for each ride request that was answered 202: from the moment its last attempt was sent until
this command received the first message about its zone on the price channel whose observation was read at that moment or
later. A zone is heard of at least once in 30 seconds, changed or not; the longest of these times is shown.
Exit code 1 when an event or a quote that was answered is not found again, or is a dead letter.`;

/** `equilibrium demo`: real demand of a file, played against the running API. */
export function registerDemo(program: Command, context: CliContext): void {
  const command = program
    .command('demo')
    .description('play a file of pickups as demand, with simulated drivers')
    .requiredOption('--file <csv>', 'pickups: requested_at,lat,lng')
    .addOption(
      new Option('--from <hh:mm>', 'where the window begins in the first day of the file')
        .argParser(timeOfDay)
        .default(0, '00:00'),
    )
    .option('--to <hh:mm>', 'where it ends; without it, where the file ends', timeOfDay)
    .option('--speed <n>', 'how much faster than life', positive, 20)
    .option('--drivers <n>', 'how many drivers are on shift', whole(1, 20_000), 600)
    .option('--seed <n>', 'the same seed plays the same rides', whole(0, 2 ** 32 - 1), 1)
    .option('--market <id>', 'market of the file', market, market('nyc'))
    .option('--loop', 'begin again at the end of the window, until a signal')
    .option('--exit-when-done', 'end after the report; without it drivers stay on shift until a signal')
    .option('--ledger <file>', 'write a JSON line for every event that was answered 202 and every quote')
    .option('--api <url>', 'where the API listens, if not where `equilibrium up` says')
    .option('--token <token>', 'access token of a service, if not one made with the key of this installation')
    .action((flags: Flags) => demo(context, flags))
    .addHelpText('after', details);
  describe(command, 'demo --file data/nyc-uber-pickups-2014-04-04.csv --from 17:00 --to 19:00 --exit-when-done');
}

async function demo(context: CliContext, flags: Flags): Promise<void> {
  const { from: fromMinute, to: toMinute, speed, seed, drivers } = flags;
  if (toMinute !== undefined && toMinute <= fromMinute) throw new UsageError('--to must be later than --from.');
  const file = await readPickups(flags.file);
  const plan = planRequests(file.pickups, { fromMinute, toMinute, speed, seed });
  const { databaseUrl, redisUrl } = context.config();
  const pool = createPool(databaseUrl, { max: 2 });
  const redis = createRedis(redisUrl, { failFast: true, name: 'demo' });
  const subscriber = createRedis(redisUrl, { name: 'demo-prices' });
  const signals = untilSignal();
  try {
    await redisReady(redis);
    await runDemo({
      file,
      plan,
      drivers,
      seed,
      pool,
      redis,
      subscriber,
      loop: flags.loop === true,
      exitWhenDone: flags.exitWhenDone === true,
      apiUrl: flags.api ?? context.apiUrl(),
      token: flags.token === undefined ? serviceTokens(context) : givenToken(flags.token),
      market: flags.market,
      ledger: flags.ledger,
      status: new StatusLine(flags.json === true ? process.stderr : process.stdout),
      stop: signals.stop,
      onReport: (report) => show(flags, report),
    });
  } finally {
    signals.end();
    redis.disconnect();
    subscriber.disconnect();
    await pool.end();
  }
}

function show(flags: Flags, report: Report): void {
  print(flags, report, () => renderReport(report));
  // After a signal there was no time to look properly.
  if (report.ended !== 'signal' && breaches(report).length > 0) process.exitCode = 1;
}

/** The first signal ends the demo with its report, the second at once. A supervisor that is gone counts as a signal. */
function untilSignal() {
  const asked = new AbortController();
  const onSignal = () => {
    if (asked.signal.aborted) process.exit(130);
    asked.abort();
  };
  const gone = () => asked.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  if (process.send !== undefined) process.once('disconnect', gone);
  process.channel?.unref();
  return {
    stop: asked.signal,
    end: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('disconnect', gone);
      if (process.connected) process.disconnect();
    },
  };
}

const tokenHours = 24;

/** A loop outlives its token, so it is made again at half of its life, and when the API does not take it any more. */
function serviceTokens(context: CliContext): (renew: boolean) => Promise<string> {
  const { authKeys, production } = context.config();
  const keys = loadKeys(authKeys, { production });
  let made: { readonly token: Promise<string>; readonly atMs: number } | undefined;
  return (renew) => {
    const nowMs = Date.now();
    const oldestMs = renew ? 1_000 : (tokenHours / 2) * 3_600_000;
    if (made === undefined || nowMs - made.atMs > oldestMs) {
      made = { token: mintToken(keys, { role: 'service', subject: 'demo', hours: tokenHours }), atMs: nowMs };
    }
    return made.token;
  };
}

function givenToken(token: string): () => Promise<string> {
  return () => Promise.resolve(token);
}

/** Minutes since midnight; 24:00 is the end of the day. */
function timeOfDay(text: string): number {
  const match = /^(\d{1,2}):([0-5]\d)$/.exec(text);
  const minutes = Number(match?.[1]) * 60 + Number(match?.[2]);
  if (!(minutes <= 24 * 60)) throw new InvalidArgumentError('a time of day is written as 17:00');
  return minutes;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0 && value <= 10_000)) throw new InvalidArgumentError('a number above 0');
  return value;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

function market(text: string): MarketId {
  const id = parseMarketId(text);
  if (id === undefined) throw new InvalidArgumentError('a market id is a short slug such as nyc');
  return id;
}
