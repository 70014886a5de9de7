import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { activeMarkets } from '../db/checks.ts';
import { loadConfig, type Environment } from '../platform/config.ts';
import { connectTemporal, createPool, createRedis, redisReady } from '../platform/connections.ts';
import { isEntry } from '../platform/entry.ts';
import { withState } from '../platform/state.ts';
import type { CheckDeps } from './check/deps.ts';
import { checkEvents } from './check/events.ts';
import { Findings, type Floors, renderReport, type Report, reportOf, type Subject } from './check/findings.ts';
import { type Ledger, readLedger } from './check/ledger.ts';
import { checkMarket, type MarketCheckOptions } from './check/market.ts';
import { checkLedgerQuotes } from './check/quotes.ts';

/** Holds Postgres, Redis and the zone workflows of these markets against the promises, and against the ledger if there is one. */
export async function checkInvariants(
  markets: readonly CheckDeps[],
  ledger: Ledger | undefined,
  options: MarketCheckOptions & Pick<Floors, 'total' | 'each'>,
): Promise<Report> {
  const findings = new Findings();
  for (const deps of markets) findings.add(await checkMarket(deps, options));
  if (ledger !== undefined) {
    findings.add(await checkEvents(markets, ledger));
    findings.add(await checkLedgerQuotes(markets, ledger));
  }
  const required: Subject[] = ['P2', 'P3', 'P4', 'P5'];
  if (ledger !== undefined) required.push('P1');
  if (ledger !== undefined && ledger.quotes.length > 0) required.push('P6');
  return reportOf(findings, { total: options.total, each: options.each, required });
}

interface Flags {
  readonly ledger?: string;
  readonly json?: boolean;
  readonly floor: number;
  readonly floorEach: number;
  readonly timeout: number;
  readonly patience: number;
}

const exitCodes = { passed: 0, breached: 1, unusable: 2 } as const;

/** Answers the exit code: 1 for a breach, 2 when it could not be looked at all. */
export async function runChecker(argv: readonly string[], env: Environment): Promise<number> {
  const command = new Command('check-invariants')
    .description(
      'Waits until everything accepted is worked through, then compares Postgres, Redis and the zone workflows.',
    )
    .option('--ledger <file>', 'NDJSON of what was answered 202, as `equilibrium demo --ledger` writes it')
    .option('--floor <n>', 'rows that must be compared in all', whole, 1_000)
    .option('--floor-each <n>', 'rows that must be compared for each of P1 to P5', whole, 1)
    .option('--timeout <seconds>', 'how long to wait for quiet', whole, 120)
    .option('--patience <seconds>', 'how long stores may take to agree while zones tick on', whole, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ node dist/scripts/check-invariants.js --ledger run.ndjson')
    .exitOverride();
  try {
    const flags = command.parse([...argv], { from: 'user' }).opts<Flags>();
    const report = await checkEverything(flags, env);
    process.stdout.write(`${flags.json === true ? JSON.stringify(report) : renderReport(report)}\n`);
    return report.passed ? exitCodes.passed : exitCodes.breached;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.passed : exitCodes.unusable;
    process.stderr.write(`Nothing can be said: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.unusable;
  }
}

async function checkEverything(flags: Flags, env: Environment): Promise<Report> {
  const config = loadConfig(withState(env));
  const ledger = flags.ledger === undefined ? undefined : await readLedger(flags.ledger);
  const pool = createPool(config.databaseUrl, { max: 10 });
  const redis = createRedis(config.redisUrl, { name: 'check' });
  try {
    await redisReady(redis);
    await using temporal = await connectTemporal(config.temporal);
    const markets = (await activeMarkets(pool)).filter((market) => config.markets?.includes(market) ?? true);
    if (markets.length === 0) throw new Error('the database holds no active market');
    return await checkInvariants(
      markets.map((market) => ({ pool, redis, client: temporal.client, market })),
      ledger,
      {
        total: flags.floor,
        each: flags.floorEach,
        timeoutMs: flags.timeout * 1000,
        patienceMs: flags.patience * 1000,
        say: (line) => process.stderr.write(`${line}\n`),
      },
    );
  } finally {
    redis.disconnect();
    await pool.end();
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number');
  return value;
}

if (isEntry(import.meta.filename)) process.exitCode = await runChecker(process.argv.slice(2), process.env);
