import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CliContext } from '../cli/context.ts';
import { parsePort } from '../cli/options.ts';
import type { UpOptions } from '../cli/up.ts';
import { ensureKeys, type Keys, loadKeys } from '../platform/keys.ts';
import { identify } from '../platform/process-identity.ts';
import { statePath, writeState } from '../platform/state.ts';
import { banner, readyFacts } from './banner.ts';
import { apiReady, type ChildSettings, startChild } from './children.ts';
import { ServiceError } from './errors.ts';
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

/** How long an interrupted start may take to notice, ms. */
const settleMs = 10_000;

const workers = [
  { name: 'zones', script: 'dist/workers/zones.js' },
  { name: 'recorder', script: 'dist/workers/recorder/main.js' },
  { name: 'ingestion', script: 'dist/workers/ingestion/main.js' },
] as const;

/** As asked for, with what the environment says. */
type Options = UpOptions & { readonly port: number };

interface Running {
  readonly services: Services;
  readonly processes: readonly Supervised[];
  readonly apiUrl: string;
  readonly metrics: Readonly<Record<string, string>>;
  readonly startedAt: string;
}

/** `equilibrium up`: everything a city needs, supervised, until a signal. Answers the exit code. */
export async function startEverything(context: CliContext, options: UpOptions): Promise<number> {
  refuseProduction(context);
  const port = wantedPort(context, options);
  const home = context.home();
  const release = lockHome(home);
  const interrupted = untilInterrupted(context.env);
  const progress = createProgress();
  const ended = new AbortController();
  const work = run(context, { ...options, port }, progress, ended.signal);
  try {
    await Promise.race([work, interrupted]);
    return 0;
  } finally {
    ended.abort();
    await progress.step('Stopping', async () => {
      await stopAll(stopOrder);
      await settled(work);
    });
    rmSync(statePath(home), { force: true });
    // Last: until here another start would meet our processes and files.
    release();
  }
}

/** Waits for what was under way, a download perhaps, which then finds everything stopped; at the worst it is left behind. */
async function settled(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), settleMs);
  });
  const how = await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
  if (how === 'late') setTimeout(() => process.exit(), 500).unref();
}

/** One sentence here instead of five from an API that refuses such keys. */
function refuseProduction({ env }: CliContext): void {
  if (env['NODE_ENV'] !== 'production' || env['EQUILIBRIUM_AUTH_KEYS']) return;
  throw new ServiceError(
    'NODE_ENV is production, which refuses the keys that this start makes for itself: unset NODE_ENV, or set EQUILIBRIUM_AUTH_KEYS to a file made with `equilibrium keys --out <file>`.',
  );
}

/** Ends with `ended` only; rejects when something cannot be started. */
async function run(context: CliContext, options: Options, progress: Progress, ended: AbortSignal): Promise<void> {
  const home = context.home();
  await stopLeftovers(home);
  if (options.fresh) forget(home, context, progress);
  const settings = childSettings(context, progress);
  const services = await startServices({ ...settings, progress });
  const keys = await openKeys(context, home);
  ended.throwIfAborted();
  await prepareDatabase(services.databaseUrl, progress);
  const running = await startProcesses(options, services, settings, progress);
  ended.throwIfAborted();
  save(home, running);
  const ready = await readyFacts(keys, { apiUrl: running.apiUrl, ...services });
  process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : banner(ready));
  const demo = options.demo ? [await startDemo(settings, home, options)] : [];
  const whole = { ...running, processes: [...running.processes, ...demo] };
  await showStatus(whole.services, { quiet: options.json, ended, everySecond: () => save(home, whole) });
}

function childSettings({ env, home }: CliContext, progress: Progress): ChildSettings {
  const delay = Number(env['EQUILIBRIUM_RESTART_DELAY_MS'] || Number.NaN);
  const log = (name: string) => join(home(), 'logs', `${name}.log`);
  return {
    home: home(),
    env: { ...env },
    restartDelayMs: Number.isFinite(delay) ? delay : undefined,
    onRestart: (name, reason) => progress.say(`${name} ended (${reason}) and is started again; see ${log(name)}`),
    onGivenUp: (name, reason) =>
      progress.say(`${name} is given up: it ended again and again before it was ready (${reason}); see ${log(name)}`),
  };
}

function forget(home: string, { env }: CliContext, progress: Progress): void {
  wipe(home);
  const foreign = ['TEMPORAL_ADDRESS', 'DATABASE_URL', 'REDIS_URL'].filter((name) => env[name]);
  if (foreign.length > 0) progress.say(`Not emptied, as it is not ours: what ${foreign.join(', ')} names.`);
}

function openKeys({ env }: CliContext, home: string): Promise<Keys> | Keys {
  const given = env['EQUILIBRIUM_AUTH_KEYS'];
  return given
    ? loadKeys(given, { production: env['NODE_ENV'] === 'production' })
    : ensureKeys(join(home, 'keys.json'), { embedded: true });
}

async function startProcesses(
  { port: wanted }: Options,
  services: Services,
  settings: ChildSettings,
  progress: Progress,
): Promise<Running> {
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

function wantedPort({ env }: CliContext, { port }: UpOptions): number {
  const text = env['PORT'] || '8000';
  const value = port ?? parsePort(text);
  if (value === undefined) throw new ServiceError(`PORT is ${text}, but must be a whole number from 1 to 65535.`);
  return value;
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
    identity: identify(process.pid) ?? String(process.pid),
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
