import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import type { Environment } from '../platform/config.ts';
import { projectRoot } from '../platform/paths.ts';
import { withState } from '../platform/state.ts';
import { registerConfig } from './config.ts';
import { createContext } from './context.ts';
import { registerDeadLetters } from './dead-letters.ts';
import { registerDemo } from './demo.ts';
import { registerKeys } from './keys.ts';
import { type PrepareEverything, registerPrepare } from './prepare.ts';
import { registerPrice } from './price.ts';
import { registerQuote } from './quote.ts';
import { registerStatus } from './status.ts';
import { registerToken } from './token.ts';
import { unreachable } from './unreachable.ts';
import { registerUp, type StartEverything } from './up.ts';
import { registerZones } from './zones.ts';

/** What reaches the servers underneath; handed in, because the command line must not import `services/`. */
export interface Services {
  readonly startEverything: StartEverything;
  readonly prepare: PrepareEverything;
}

/** The `equilibrium` command. Answers the exit code; prints nothing but what the command prints. */
export async function main(
  argv: readonly string[],
  env: Environment,
  { startEverything, prepare }: Services,
): Promise<number> {
  const context = createContext(env);
  const program = new Command('equilibrium')
    .description('Real-time pricing of rides: every zone of a city is one durable workflow.')
    .version(version())
    .showHelpAfterError()
    .exitOverride();
  registerUp(program, context, startEverything);
  registerPrepare(program, context, prepare);
  registerDemo(program, context);
  registerStatus(program, context);
  registerQuote(program, context);
  registerPrice(program);
  registerZones(program, context);
  registerDeadLetters(program, context);
  registerToken(program, context);
  registerKeys(program);
  registerConfig(program, context);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    return report(error, env);
  }
  return typeof process.exitCode === 'number' ? process.exitCode : 0;
}

/** Expected failures are a sentence; anything else keeps its stack, as it is a mistake of ours. */
function report(error: unknown, env: Environment): number {
  if (error instanceof CommanderError) return error.exitCode;
  process.stderr.write(`${inWords(error, env)}\n`);
  return 1;
}

function inWords(error: unknown, env: Environment): string {
  if (!(error instanceof Error)) return String(error);
  if (['UsageError', 'ServiceError', 'ConfigError'].includes(error.name)) return error.message;
  return unreachable(error, withState(env)) ?? error.stack ?? error.message;
}

function version(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
  return version;
}
