import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { MarketId } from '../domain/ids.ts';
import { createPool, createRedis, redisReady } from '../platform/connections.ts';
import { loadKeys } from '../platform/keys.ts';
import { mintToken } from '../platform/tokens.ts';
import { type CliContext, describe, print, UsageError } from './context.ts';
import { readPickups } from './demo/pickups.ts';
import { type Plan, planRequests } from './demo/plan.ts';
import { breaches, type Report, renderReport } from './demo/report.ts';
import { runDemo } from './demo/run.ts';
import { StatusLine } from './demo/status.ts';
import { market, speed as anySpeed, timeOfDay, whole } from './options.ts';

interface Flags {
  readonly file: string;
  readonly from?: number;
  readonly to?: number;
  readonly speed: number;
  readonly drivers: number;
  readonly seed: number;
  readonly market: MarketId;
  readonly api?: string;
  readonly tokenFile?: string;
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

A token can also be given as EQUILIBRIUM_TOKEN; it is no flag, as everybody on a machine sees the flags of a process.

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
    .option(
      '--from <hh:mm>',
      'where the window begins in the first day of the file; without it, at its first pickup',
      timeOfDay,
    )
    .option('--to <hh:mm>', 'where it ends; without it, where the file ends', timeOfDay)
    .option('--speed <n>', 'how much faster than life', anySpeed, 20)
    .option('--drivers <n>', 'how many drivers are on shift', whole(1, 20_000), 600)
    .option('--seed <n>', 'the same seed plays the same rides', whole(0, 2 ** 32 - 1), 1)
    .option('--market <id>', 'market of the file', market, market('nyc'))
    .option('--loop', 'begin again at the end of the window, until a signal')
    .option('--exit-when-done', 'end after the report; without it drivers stay on shift until a signal')
    .option('--ledger <file>', 'write a JSON line for every event that was answered 202 and every quote')
    .option('--api <url>', 'where the API listens, if not where `equilibrium up` says')
    .option('--token-file <file>', 'access token of a service, if not one made with the key of this installation')
    .action((flags: Flags) => demo(context, flags))
    .addHelpText('after', details);
  describe(command, 'demo --file data/nyc-uber-pickups-2014-04-04.csv --from 17:00 --to 19:00 --exit-when-done');
}

async function demo(context: CliContext, flags: Flags): Promise<void> {
  const { from: fromMinute, to: toMinute, speed, seed, drivers } = flags;
  if (toMinute !== undefined && fromMinute !== undefined && toMinute <= fromMinute)
    throw new UsageError('--to must be later than --from.');
  const file = await readPickups(flags.file);
  const plan = planRequests(file.pickups, { fromMinute, toMinute, speed, seed });
  const { databaseUrl, redisUrl } = context.config();
  const given = givenToken(context, flags);
  const token = given === undefined ? serviceTokens(context) : () => Promise.resolve(given);
  const pool = createPool(databaseUrl, { max: 2 });
  const redis = createRedis(redisUrl, { failFast: true, name: 'demo' });
  const subscriber = createRedis(redisUrl, { name: 'demo-prices' });
  const signals = untilSignal();
  const status = new StatusLine(flags.json === true ? process.stderr : process.stdout);
  try {
    await redisReady(redis);
    tellFirstRequest(status, plan);
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
      token,
      market: flags.market,
      ledger: flags.ledger,
      status,
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

const worthTellingMs = 10_000;

/** Nobody should take a window that begins at night for a demo that hangs. */
function tellFirstRequest(status: StatusLine, { requests: [first] }: Plan): void {
  if (first === undefined || first.atMs < worthTellingMs) return;
  status.say(`The first ride request of this window comes after ${Math.round(first.atMs / 1000)} s.`);
  status.end();
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

function givenToken({ env }: CliContext, { tokenFile }: Flags): string | undefined {
  if (tokenFile === undefined) return env['EQUILIBRIUM_TOKEN']?.trim() || undefined;
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`${tokenFile} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
