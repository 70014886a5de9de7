import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type MarketId, parseMarketId } from '../domain/ids.ts';
import { createPool, createRedis } from '../platform/connections.ts';
import { isEntry } from '../platform/entry.ts';
import { projectRoot } from '../platform/paths.ts';
import { runChecker } from './check-invariants.ts';
import { pause } from './check/deps.ts';
import { parts, type Recovery, type Watch, watchRecovery } from './kill/parts.ts';
import { ended, equilibrium, finished, type Stack, startStack } from './kill/stack.ts';

interface Flags {
  readonly parts: readonly string[];
  readonly seed: number;
  readonly from: string;
  readonly to: string;
  readonly speed: number;
  readonly drivers: number;
  readonly port: number;
  readonly away: number;
  readonly within: number;
  readonly json?: boolean;
  readonly keep?: boolean;
}

const market = 'nyc';
/** What is served must have been priced a while before the first part falls. */
const firstKillMs = 30_000;
const quietBetweenMs = 10_000;
const recoveryTimeoutMs = 90_000;

/** Plays real demand, kills one part after the other in the middle of it, and lets the checker judge. Answers the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  const home = mkdtempSync(join(tmpdir(), 'equilibrium-kill-'));
  // Postgres may run as another user, which has to pass this folder.
  chmodSync(home, 0o755);
  say(`home ${home}, seed ${flags.seed}`);
  const ending = endings(flags.within);
  let code = 1;
  const stack = await startStack({ home, env: process.env, serviceDelayMs: flags.away * 1000, port: flags.port });
  try {
    code = await Promise.race([playAndKill(stack, home, flags), ending.promise]);
  } finally {
    ending.clear();
    await stack.stop();
  }
  if (code === 0 && flags.keep !== true) rmSync(home, { recursive: true, force: true });
  else say(`logs and data are kept in ${home}`);
  return code;
}

async function playAndKill(stack: Stack, home: string, flags: Flags): Promise<number> {
  const ledger = join(home, 'ledger.ndjson');
  const { from, to, speed, drivers, seed } = flags;
  const file = join(projectRoot(), 'data', 'nyc-uber-pickups-2014-04-04.csv');
  const window = ['--file', file, '--from', from, '--to', to, '--speed', String(speed), '--drivers', String(drivers)];
  const rest = ['--seed', String(seed), '--ledger', ledger, '--exit-when-done', '--json'];
  const demo = equilibrium(['demo', ...window, ...rest], stack.env, join(home, 'demo.log'));
  process.once('exit', () => demo.kill('SIGKILL'));
  const played = finished(demo);
  const state = stack.state();
  const watch: Watch = {
    redis: createRedis(state.redisUrl, { failFast: true, name: 'kill-run' }),
    pool: createPool(state.databaseUrl, { max: 2, statementTimeoutMs: 5_000 }),
    market: known(parseMarketId(market)),
    apiUrl: state.apiUrl,
  };
  try {
    const recoveries = await killInTurn(stack, watch, flags, () => demo.exitCode === null);
    say('every part was killed; waiting for the end of the demo');
    const { code, text } = await played;
    say(`the demo ended with exit code ${code}; checking`);
    const checked = await runChecker(['--ledger', ledger, ...(flags.json === true ? ['--json'] : [])], stack.env);
    show(flags, recoveries, text);
    const back = recoveries.every(({ recoveredMs }) => recoveredMs !== null);
    const whole = recoveries.length === flags.parts.length;
    if (!whole) say('the demo was over before every part had been killed');
    return checked === 0 && code === 0 && back && whole ? 0 : 1;
  } finally {
    watch.redis.disconnect();
    await watch.pool.end();
    await ended(demo, 'SIGTERM');
  }
}

async function killInTurn(
  stack: Stack,
  watch: Watch,
  { parts: names, seed }: Flags,
  playing: () => boolean,
): Promise<Recovery[]> {
  const random = randomFrom(seed);
  const recoveries: Recovery[] = [];
  await pause(firstKillMs);
  for (const name of names) {
    await pause(quietBetweenMs * (0.5 + random()));
    if (!playing()) break;
    const killedAtMs = stack.kill(name);
    const recovery = await watchRecovery(watch, name, killedAtMs, recoveryTimeoutMs);
    say(describeRecovery(recovery));
    recoveries.push(recovery);
  }
  return recoveries;
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

function describeRecovery({ part, signs, recoveredMs }: Recovery): string {
  const seen = signs.map(({ name, afterMs }) => `${name} after ${(afterMs / 1000).toFixed(2)} s`).join(', ');
  return `${part.padEnd(10)} ${seen}${recoveredMs === null ? ' … and then nothing more: NOT RECOVERED' : ''}`;
}

function show({ json, seed }: Flags, recoveries: readonly Recovery[], demoText: string): void {
  const demo: unknown = demoText.trim() === '' ? null : JSON.parse(demoText.trim().split('\n').at(-1) ?? 'null');
  if (json === true) process.stdout.write(`${JSON.stringify({ seed, recoveries, demo })}\n`);
  else process.stdout.write(`${recoveries.map(describeRecovery).join('\n')}\n`);
}

function parseFlags(argv: readonly string[]): Flags {
  const command = new Command('kill-run')
    .description(
      'Plays real demand on a stack of its own, kills its parts with SIGKILL, and checks that nothing was lost.',
    )
    .option('--parts <list>', `which, in this order; of ${Object.keys(parts).join(', ')}`, list, Object.keys(parts))
    .option('--seed <n>', 'decides the moments of the kills and the rides', whole, 1)
    .option('--from <hh:mm>', 'window of the shipped day', '17:00')
    .option('--to <hh:mm>', 'its end', '19:00')
    .option('--speed <n>', 'how much faster than life', whole, 20)
    .option('--drivers <n>', 'drivers on shift', whole, 600)
    .option('--port <n>', 'where the API of the stack should listen', whole, 8900)
    .option('--away <seconds>', 'how long Temporal, Redis and Postgres stay away', whole, 10)
    .option('--within <minutes>', 'give up after', whole, 20)
    .option('--json', 'print JSON: one line of the checker, one of recoveries and demo')
    .option('--keep', 'keep the folder with data and logs also after success')
    .addHelpText('after', '\nExample:\n  $ node dist/scripts/kill-run.js --parts redis,postgres --seed 7');
  return command.parse([...argv], { from: 'user' }).opts<Flags>();
}

function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => parts[name] === undefined);
  if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is no part`);
  return names;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number');
  return value;
}

/** Rejects after the time given and at Ctrl-C, so that the stack is always stopped. */
function endings(minutes: number): { readonly promise: Promise<never>; readonly clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${minutes} minutes`)), minutes * 60_000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error(signal)));
  });
  return { promise, clear: () => clearTimeout(timer) };
}

/** The same numbers for the same seed, 0 ≤ n < 1. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function known(id: MarketId | undefined): MarketId {
  if (id === undefined) throw new Error(`${market} is no market id`);
  return id;
}

if (isEntry(import.meta.filename)) process.exit(await main(process.argv.slice(2)));
