import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ServiceError } from './errors.ts';
import { signal, stopLeftover, writePidFile } from './process-identity.ts';

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** A channel whose breaking tells a Node child that its supervisor is gone. */
  readonly channel?: boolean;
  /** Before each start: stale locks are removed here. */
  readonly beforeStart?: () => void;
  /** Asked again and again after the first start until it answers true; without it, running a while counts as ready. */
  readonly ready?: () => Promise<boolean>;
  readonly readyTimeoutMs?: number;
  /** How the process is asked to end. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  /** Wait before a dead process is started again; by default at once, and longer when it keeps dying. */
  readonly restartDelayMs?: number | undefined;
  readonly onRestart?: (reason: string) => void;
  /** Told once when a process never became ready and is not started again. */
  readonly onGivenUp?: (reason: string) => void;
}

export interface Supervised {
  readonly name: string;
  pid(): number | undefined;
  restarts(): number;
  stop(): Promise<void>;
}

const steadyMs = 10_000;
const longestBackoffMs = 10_000;
const largestLogBytes = 20_000_000;
/** One that was ready once is started again for ever; one that never was would only fill its log. */
const mostFailuresBeforeReady = 5;

/** Starts the process, waits until it is ready, and from then on starts it again whenever it dies, until `stop`. */
export async function supervise(spec: ProcessSpec): Promise<Supervised> {
  makeFolders(spec);
  await stopLeftover(spec.pidFile);
  if (closing) throw new ServiceError(`${spec.name} was not started, as everything is being stopped.`);
  turnLog(spec.logFile);
  const supervision = new Supervision(spec);
  all.add(supervision);
  await supervision.begin();
  return supervision;
}

const all = new Set<Supervised>();
let closing = false;

/** The end of a supervisor: stops what it runs in this order (others first) and starts nothing any more. */
export async function stopAll(order: readonly string[]): Promise<void> {
  closing = true;
  const last = [...all].toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  for (const supervised of last) await supervised.stop();
}

/** For the impatient: nothing is closed in order, nothing is left running. */
export function killAll(): void {
  closing = true;
  for (const supervised of all) {
    const pid = supervised.pid();
    if (pid !== undefined) signal(-pid, 'SIGKILL');
  }
}

class Supervision implements Supervised {
  readonly name: string;
  readonly #spec: ProcessSpec;
  #child: ChildProcess | undefined;
  #stopping = false;
  #restarts = 0;
  #failuresInARow = 0;
  #startedAtMs = 0;
  #pending: NodeJS.Timeout | undefined;
  #started = false;
  #wasReady = false;
  #earlyEnd: string | undefined;
  /** Resolves when the process shall end, for whoever waits until it is ready. */
  readonly #stopAsked: Promise<false>;
  #askToStop: () => void = () => {};

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    this.name = spec.name;
    this.#stopAsked = new Promise((resolve) => {
      this.#askToStop = () => resolve(false);
    });
  }

  pid(): number | undefined {
    return this.#child?.pid;
  }

  restarts(): number {
    return this.#restarts;
  }

  async begin(): Promise<void> {
    const logStart = sizeOf(this.#spec.logFile);
    const until = Date.now() + (this.#spec.readyTimeoutMs ?? 60_000);
    this.#launch();
    while (!(await this.#isReady())) {
      if (this.#stopping) throw new ServiceError(`${this.name} was stopped before it was ready.`);
      if (this.#earlyEnd === undefined && Date.now() < until) {
        await Promise.race([pause(30), this.#stopAsked]);
        continue;
      }
      const why = this.#earlyEnd ?? 'no answer in time';
      await this.stop();
      throw new ServiceError(
        `${this.name} did not start (${why}). The end of ${this.#spec.logFile}:\n${tail(this.#spec.logFile, logStart)}`,
      );
    }
    this.#started = true;
    this.#wasReady = this.#spec.ready !== undefined;
  }

  /** A stop ends the question, however long its answer would take. */
  async #isReady(): Promise<boolean> {
    const { ready } = this.#spec;
    return ready === undefined || Promise.race([ready().catch(() => false), this.#stopAsked]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#askToStop();
    clearTimeout(this.#pending);
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return this.#forget();
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    child.kill(this.#spec.stopSignal ?? 'SIGTERM');
    const insist = setTimeout(() => signal(-(child.pid ?? 0), 'SIGKILL'), this.#spec.stopTimeoutMs ?? 15_000);
    await gone;
    clearTimeout(insist);
    this.#forget();
  }

  #forget(): void {
    all.delete(this);
    this.#child = undefined;
    rmSync(this.#spec.pidFile, { force: true });
  }

  #launch(): void {
    const { command, args, env, cwd, logFile, pidFile, channel, beforeStart } = this.#spec;
    beforeStart?.();
    const log = openSync(logFile, 'a');
    const child = spawn(command, [...args], {
      // A group of its own: Ctrl-C on the terminal reaches the supervisor alone, which then stops all in order.
      detached: true,
      stdio: channel === true ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    closeSync(log);
    this.#startedAtMs = Date.now();
    this.#child = child;
    if (child.pid !== undefined) writePidFile(pidFile, child.pid);
    child.once('error', (error) => this.#died(error.message));
    child.once('exit', (code, name) => this.#died(exitReason(code, name)));
  }

  #died(reason: string): void {
    if (this.#stopping) return;
    if (!this.#started) {
      this.#earlyEnd = reason;
      return;
    }
    const steady = Date.now() - this.#startedAtMs > steadyMs;
    this.#wasReady ||= steady;
    this.#failuresInARow = steady ? 0 : this.#failuresInARow + 1;
    if (!this.#wasReady && this.#failuresInARow >= mostFailuresBeforeReady) {
      this.#forget();
      this.#spec.onGivenUp?.(reason);
      return;
    }
    const backoff = this.#failuresInARow < 2 ? 0 : Math.min(250 * 2 ** (this.#failuresInARow - 2), longestBackoffMs);
    this.#child = undefined;
    this.#spec.onRestart?.(reason);
    this.#pending = setTimeout(
      () => {
        if (this.#stopping) return;
        this.#restarts += 1;
        this.#launch();
      },
      Math.max(this.#spec.restartDelayMs ?? 0, backoff),
    );
  }
}

/** Logs may name places and people, so the folder is closed also where an earlier version left it open. */
function makeFolders({ logFile, pidFile }: ProcessSpec): void {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  chmodSync(dirname(logFile), 0o700);
  mkdirSync(dirname(pidFile), { recursive: true });
}

function exitReason(code: number | null, name: NodeJS.Signals | null): string {
  return name === null ? `exit code ${code}` : `signal ${name}`;
}

function turnLog(path: string): void {
  if (sizeOf(path) > largestLogBytes) renameSync(path, `${path}.1`);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function tail(path: string, from: number): string {
  try {
    const text = readFileSync(path).subarray(from).toString('utf8').trimEnd();
    return text.split('\n').slice(-15).join('\n');
  } catch {
    return '(no log)';
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
