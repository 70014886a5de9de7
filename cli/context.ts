import type { Command } from 'commander';
import { type Config, type Environment, homeFolder, loadConfig } from '../platform/config.ts';
import { readState, type State, withState } from '../platform/state.ts';

/** What a command works with; made once by the entry, so that nothing below it reads the process's environment. */
export interface CliContext {
  readonly env: Environment;
  /** The environment, completed by what a running `equilibrium up` says. */
  readonly config: () => Config;
  readonly home: () => string;
  readonly state: () => State | undefined;
  /** Where the HTTP API listens: EQUILIBRIUM_API, the running one, or the usual place. */
  readonly apiUrl: () => string;
}

export function createContext(env: Environment): CliContext {
  const home = () => homeFolder(env);
  return {
    env,
    config: () => loadConfig(withState(env)),
    home,
    state: () => readState(home()),
    apiUrl: () => withState(env)['EQUILIBRIUM_API'] ?? 'http://127.0.0.1:8000',
  };
}

/** A mistake of the user: shown as one sentence, exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One JSON value with `--json`, plain text otherwise. */
export function print(options: { readonly json?: boolean }, value: unknown, text: () => string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value) : text()}\n`);
}

/** Every command has `--json` and an example below its help. */
export function describe(command: Command, example: string): Command {
  return command.option('--json', 'print JSON').addHelpText('after', `\nExample:\n  $ equilibrium ${example}`);
}
