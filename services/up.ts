import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CliContext } from '../cli/context.ts';
import type { UpOptions } from '../cli/up.ts';
import { ensureKeys, type Keys, loadKeys } from '../platform/keys.ts';
import { statePath, writeState } from '../platform/state.ts';
import { banner, readyFacts } from './banner.ts';
import { apiReady, type ChildSettings, startChild } from './children.ts';
import { stopLeftovers, wipe } from './home.ts';
import { untilInterrupted } from './interrupt.ts';
import { lockHome } from './lock.ts';
import { stepAround } from './ports.ts';
import { prepareDatabase } from './prepare.ts';
import { createProgress, type Progress } from './progress.ts';
import { type Services, startServices } from './services.ts';
import { showStatus } from './status-line.ts';
import { stopAll, type Supervised } from './supervised.ts';

/** Clients first, then what takes their requests, then what works on them, then what keeps them. */
const stopOrder = ['demo', 'api', 'ingestion', 'recorder', 'zones', 'temporal', 'redis', 'postgres'];

const workers = [
  { name: 'zones', script: 'dist/workers/zones.js' },
  { name: 'recorder', script: 'dist/workers/recorder/main.js' },
  { name: 'ingestion', script: 'dist/workers/ingestion/main.js' },
] as const;

interface Running {
  readonly services: Services;
  readonly processes: readonly Supervised[];
  readonly apiUrl: string;
  readonly metrics: Readonly<Record<string, string>>;
  readonly startedAt: string;
}

/** `equilibrium up`: everything a city needs, supervised, until a signal. Answers the exit code. */
export async function startEverything(context: CliContext, options: UpOptions): Promise<number> {
  const home = context.home();
  const release = lockHome(home);
  const interrupted = untilInterrupted(context.env);
  const progress = createProgress();
  const ended = new AbortController();
  try {
    const work = run(context, options, progress, ended.signal);
    await Promise.race([work, interrupted]);
    return 0;
  } finally {
    ended.abort();
    await progress.step('Stopping', () => stopAll(stopOrder));
    rmSync(statePath(home), { force: true });
    release();
  }
}

/** Never resolves by itself; rejects when something cannot be started. */
async function run(context: CliContext, options: UpOptions, progress: Progress, ended: AbortSignal): Promise<never> {
  const home = context.home();
  await stopLeftovers(home);
  if (options.fresh) forget(home, context, progress);
  const settings = childSettings(context, progress);
  const services = await startServices({ ...settings, progress });
  const keys = await openKeys(context, home);
  await prepareDatabase(services.databaseUrl, progress);
  const running = await startProcesses(context, options, services, settings, progress);
  save(home, running);
  const ready = await readyFacts(keys, { apiUrl: running.apiUrl, ...services });
  process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : banner(ready));
  const demo = options.demo ? [await startDemo(settings, home, options)] : [];
  const whole = { ...running, processes: [...running.processes, ...demo] };
  return showStatus(whole.services, { quiet: options.json, ended, everySecond: () => save(home, whole) });
}

function childSettings({ env, home }: CliContext, progress: Progress): ChildSettings {
  const delay = Number(env['EQUILIBRIUM_RESTART_DELAY_MS'] || Number.NaN);
  return {
    home: home(),
    env: { ...env },
    restartDelayMs: Number.isFinite(delay) ? delay : undefined,
    onRestart: (name, reason) =>
      progress.say(`${name} ended (${reason}) and is started again; see ${join(home(), 'logs', `${name}.log`)}`),
  };
}

function forget(home: string, { env }: CliContext, progress: Progress): void {
  wipe(home);
  const foreign = ['TEMPORAL_ADDRESS', 'DATABASE_URL', 'REDIS_URL'].filter((name) => env[name]);
  if (foreign.length > 0) progress.say(`Not emptied, as it is not ours: what ${foreign.join(', ')} names.`);
}

function openKeys({ env }: CliContext, home: string): Promise<Keys> | Keys {
  const given = env['EQUILIBRIUM_AUTH_KEYS'];
  return given ? loadKeys(given) : ensureKeys(join(home, 'keys.json'), { embedded: true });
}

async function startProcesses(
  context: CliContext,
  options: UpOptions,
  services: Services,
  settings: ChildSettings,
  progress: Progress,
): Promise<Running> {
  const wanted = options.port ?? Number(context.env['PORT'] || 8000);
  const port = await stepAround('the API', wanted, progress.say);
  const apiUrl = `http://127.0.0.1:${port}`;
  const env = { ...settings.env, ...addresses(services, settings.home), PORT: String(port) };
  const metrics: Record<string, string> = {};
  const start = async (name: string, script: string, ready?: () => Promise<boolean>) => {
    const metricsPort = await stepAround('metrics', 0, progress.say);
    metrics[name] = `http://127.0.0.1:${metricsPort}/metrics`;
    const own = { METRICS_PORT: String(metricsPort), EQUILIBRIUM_CONSUMER: `${hostname()}-${name}` };
    // Only services can be held back: our own processes are started again at once, as a process manager would.
    const child = { ...settings, env, restartDelayMs: undefined };
    return startChild(child, { name, script, env: own, ...(ready === undefined ? {} : { ready }) });
  };
  const processes = [...services.processes];
  for (const { name, script } of workers) processes.push(await start(name, script));
  const api = () => start('api', 'dist/api/main.js', () => apiReady(apiUrl));
  processes.push(await progress.step('Starting the API', api));
  return { services, processes, apiUrl, metrics, startedAt: new Date().toISOString() };
}

function addresses(services: Services, home: string): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: services.temporalAddress,
    TEMPORAL_NAMESPACE: services.namespace,
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    EQUILIBRIUM_HOME: home,
  };
}

function startDemo(settings: ChildSettings, home: string, { from, speed }: UpOptions): Promise<Supervised> {
  const day = ['--file', 'data/nyc-uber-pickups-2014-04-04.csv', '--from', from];
  return startChild(
    { ...settings, env: { ...settings.env, EQUILIBRIUM_HOME: home } },
    { name: 'demo', script: 'bin/equilibrium.mjs', args: ['demo', ...day, '--speed', String(speed), '--loop'] },
  );
}

function save(home: string, { services, processes, apiUrl, metrics, startedAt }: Running): void {
  const pids = processes.flatMap((one): [string, number][] => {
    const pid = one.pid();
    return pid === undefined ? [] : [[one.name, pid]];
  });
  writeState(home, {
    pid: process.pid,
    apiUrl,
    temporalAddress: services.temporalAddress,
    temporalUiUrl: services.temporalUiUrl,
    namespace: services.namespace,
    databaseUrl: services.databaseUrl,
    redisUrl: services.redisUrl,
    metrics,
    processes: Object.fromEntries(pids),
    startedAt,
  });
}
