import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { identify } from '../platform/process-identity.ts';
import { ServiceError } from './errors.ts';
import { runTool } from './executables.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { stepAround } from './ports.ts';
import { type ServiceSettings, usualPorts } from './settings.ts';
import { supervise, type Supervised } from './supervised.ts';
import { type Runner, unprivilegedRunner } from './unprivileged.ts';

export interface PostgresService {
  readonly url: string;
  /** Absent when DATABASE_URL named one that is not ours. */
  readonly process?: Supervised;
}

const database = 'equilibrium';

export async function startPostgres(settings: ServiceSettings): Promise<PostgresService> {
  const given = settings.env['DATABASE_URL'];
  if (given) {
    await connectOnce(given).catch((error: unknown) => {
      throw new ServiceError(
        `DATABASE_URL does not answer (${error instanceof Error ? error.message : String(error)}). Start it, or unset DATABASE_URL to use an embedded Postgres.`,
      );
    });
    return { url: given };
  }
  const { home, env, progress } = settings;
  const { initdb, postgres } = postgresBinaries();
  const runner = await unprivilegedRunner(env, [postgres, home]);
  const password = ensurePassword(join(home, 'postgres-password'));
  const folder = join(home, 'postgres');
  if (!existsSync(join(folder, 'PG_VERSION'))) await initialise(folder, initdb, password, runner);
  const port = await stepAround('Postgres', settings.ports?.postgres ?? usualPorts.postgres, progress.say);
  const place = `postgres://${database}:${password}@127.0.0.1:${port}`;
  const process = await supervise({
    name: 'postgres',
    ...runner.wrap(postgres, serverArguments(folder, port)),
    env: { PATH: env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    logFile: join(home, 'logs', 'postgres.log'),
    pidFile: join(home, 'run', 'postgres.pid'),
    beforeStart: () => removeStaleLock(join(folder, 'postmaster.pid')),
    ready: () => connectOnce(`${place}/postgres`).then(() => true),
    // Ends open sessions instead of waiting for them.
    stopSignal: 'SIGINT',
    restartDelayMs: settings.restartDelayMs,
    onRestart: (reason) => settings.onRestart?.('postgres', reason),
  });
  await ensureDatabase(`${place}/postgres`);
  return { url: `${place}/${database}`, process };
}

/** Every commit is on disk before it is answered; the rest is modest, as other programs share the machine. */
function serverArguments(folder: string, port: number): string[] {
  const options = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    synchronous_commit: 'on',
    wal_compression: 'on',
    max_wal_size: '2GB',
    checkpoint_timeout: '10min',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A refused statement would bring the values of its parameters, thus places and people, into the log.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
  };
  return ['-D', folder, ...Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Made beside the final place and moved there whole, so that an interrupted start leaves no half database. */
async function initialise(folder: string, initdb: string, password: string, runner: Runner): Promise<void> {
  const [unfinished, passwordFile] = [`${folder}.new`, `${folder}.new-password`];
  rmSync(unfinished, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (runner.user !== undefined) {
    for (const path of [unfinished, passwordFile]) chownSync(path, runner.user.uid, runner.user.gid);
  }
  try {
    const options = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'];
    const args = ['-D', unfinished, '-U', database, `--pwfile=${passwordFile}`, ...options];
    const run = runner.wrap(initdb, args);
    await runTool(run.command, run.args);
    renameSync(unfinished, folder);
  } catch (error) {
    throw new ServiceError(
      `The embedded Postgres could not be set up: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    rmSync(passwordFile, { force: true });
    // An initdb that was interrupted may still be writing its last files.
    rmSync(unfinished, { recursive: true, force: true, maxRetries: 10 });
  }
}

/**
 * After a kill the lock names a pid that may by now belong to another program, which would keep Postgres from starting.
 * Only then is it removed: of a dead pid Postgres takes care itself, and with the lock it finds sessions that still linger.
 */
function removeStaleLock(path: string): void {
  if (!existsSync(path)) return;
  const pid = Number(readFileSync(path, 'utf8').split('\n')[0]);
  if (identify(pid) !== undefined && !isPostgres(pid)) rmSync(path, { force: true });
}

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    return true;
  }
}

function ensurePassword(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(18).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
}
