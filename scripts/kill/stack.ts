import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../platform/paths.ts';
import { readState, type State } from '../../platform/state.ts';

export interface StackOptions {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** How long a killed Temporal, Redis or Postgres stays away, ms. */
  readonly serviceDelayMs: number;
  readonly port: number;
}

export interface Stack {
  readonly env: NodeJS.ProcessEnv;
  readonly state: () => State;
  /** Kills the process of that name as nothing can prepare for; answers when, ms since 1970. */
  readonly kill: (name: string) => number;
  readonly stop: () => Promise<void>;
}

/** What a stray variable must not point at something that is not ours to kill. */
const foreign = ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'DATABASE_URL', 'REDIS_URL', 'EQUILIBRIUM_API'];

/** `equilibrium up` on a home of its own; resolves once everything is ready. */
export async function startStack({ home, env: given, serviceDelayMs, port }: StackOptions): Promise<Stack> {
  const own = { EQUILIBRIUM_HOME: home, EQUILIBRIUM_RESTART_DELAY_MS: String(serviceDelayMs) };
  const inherited = Object.entries(given).filter(([name]) => !foreign.includes(name));
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(inherited), ...own };
  const up = equilibrium(['up', '--json', '--port', String(port)], env, join(home, 'up.log'));
  await firstLine(up, 'equilibrium up', join(home, 'up.log'));
  function state(): State {
    const found = readState(home);
    if (found === undefined) throw new Error(`${home} has no state file: equilibrium up has ended`);
    return found;
  }
  return {
    env,
    state,
    kill(name) {
      const pid = state().processes[name];
      if (pid === undefined) throw new Error(`equilibrium up runs no ${name}`);
      process.kill(pid, 'SIGKILL');
      return Date.now();
    },
    stop: () => ended(up, 'SIGTERM'),
  };
}

/** Runs the command of the project; what it complains about goes into a log. */
export function equilibrium(args: readonly string[], env: NodeJS.ProcessEnv, log: string): ChildProcess {
  const script = join(projectRoot(), 'bin', 'equilibrium.mjs');
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.pipe(createWriteStream(log, { flags: 'a' }));
  return child;
}

function firstLine(child: ChildProcess, name: string, log: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with exit code ${code}; see ${log}`)));
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', () => resolve());
  });
}

/** Asks the process to end, and waits until it has. */
export function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Exit code and everything printed, once the process has ended by itself. */
export function finished(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, text: Buffer.concat(chunks).toString('utf8') }));
  });
}
