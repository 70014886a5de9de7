import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { temporalTarget } from '../platform/config.ts';
import { connectTemporal } from '../platform/connections.ts';
import { ServiceError } from './errors.ts';
import { stepAround } from './ports.ts';
import { ensureSearchAttributes, reason, zoneAttributes } from './search-attributes.ts';
import { type ServiceSettings, usualPorts } from './settings.ts';
import { supervise, type Supervised } from './supervised.ts';
import { findTemporal } from './temporal-binary.ts';
import { dieWithParent } from './executables.ts';

export interface TemporalService {
  readonly address: string;
  readonly namespace: string;
  /** Unknown for a server that is not ours. */
  readonly uiUrl?: string;
  /** Absent when TEMPORAL_ADDRESS named one that is not ours. */
  readonly process?: Supervised;
}

/** How long closed runs stay readable in the embedded server: a busy zone writes about 7.5 KB per decision. */
const retention = msToTs('3 days');

export async function startTemporal(settings: ServiceSettings): Promise<TemporalService> {
  return settings.env['TEMPORAL_ADDRESS'] ? useForeignTemporal(settings.env) : startEmbeddedTemporal(settings);
}

/** Checks the server that the environment names and registers what is missing there. */
export async function useForeignTemporal(env: NodeJS.ProcessEnv): Promise<TemporalService> {
  const target = temporalTarget(env);
  const temporal = await connectTemporal(target).catch((error: unknown) => {
    throw new ServiceError(
      `Temporal at ${target.address} does not answer (${reason(error)}). Start it, or unset TEMPORAL_ADDRESS to use an embedded one.`,
    );
  });
  try {
    await temporal.connection.workflowService
      .describeNamespace({ namespace: target.namespace })
      .catch((error: unknown) => {
        throw new ServiceError(
          `The namespace ${target.namespace} of Temporal at ${target.address} cannot be used (${reason(error)}). Create it with: temporal operator namespace create --namespace ${target.namespace}, or set TEMPORAL_NAMESPACE.`,
        );
      });
    await ensureSearchAttributes(temporal.connection, target.namespace);
  } finally {
    await temporal.close();
  }
  return { address: target.address, namespace: target.namespace };
}

async function startEmbeddedTemporal(settings: ServiceSettings): Promise<TemporalService> {
  const { home, env, progress, ports } = settings;
  const program = await findTemporal(env, progress);
  const port = await stepAround('Temporal', ports?.temporal ?? usualPorts.temporal, progress.say);
  const uiPort = await stepAround("Temporal's Web UI", ports?.temporalUi ?? usualPorts.temporalUi, progress.say);
  const address = `127.0.0.1:${port}`;
  const folder = join(home, 'temporal');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const supervised = await supervise({
    name: 'temporal',
    ...dieWithParent(env, program, serverArguments(join(folder, 'temporal.db'), port, uiPort)),
    env: withoutTemporalVariables(env),
    logFile: join(home, 'logs', 'temporal.log'),
    pidFile: join(home, 'run', 'temporal.pid'),
    ready: () => answers(address),
    restartDelayMs: settings.restartDelayMs,
    onRestart: (why) => settings.onRestart?.('temporal', why),
  });
  await withConnection(address, async (connection) => {
    await keepForThreeDays(connection);
    await ensureSearchAttributes(connection, 'default');
  });
  return { address, namespace: 'default', uiUrl: `http://127.0.0.1:${uiPort}`, process: supervised };
}

/** Write-ahead log: ten times the signals per second. Poll rates: without them each task waits up to 50 ms. */
function serverArguments(file: string, port: number, uiPort: number): string[] {
  const place = ['--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort), '--db-filename', file];
  const pragmas = ['journal_mode=wal', 'synchronous=normal'];
  const settings = ['history.transferProcessorMaxPollRPS=2000', 'history.timerProcessorMaxPollRPS=2000'];
  const attributes = zoneAttributes.map(({ name, typeName }) => `${name}=${typeName}`);
  return ['server', 'start-dev', '--log-level', 'warn'].concat(
    place,
    repeated('--sqlite-pragma', pragmas),
    repeated('--dynamic-config-value', settings),
    repeated('--search-attribute', attributes),
  );
}

function repeated(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}

/** The server's program reads the same variables as its clients; a stray one must not change what we start. */
function withoutTemporalVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

async function answers(address: string): Promise<boolean> {
  return withConnection(address, async (connection) => {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  });
}

async function keepForThreeDays(connection: Connection): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace: 'default',
    config: { workflowExecutionRetentionTtl: retention },
  });
}

async function withConnection<T>(address: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const temporal = await connectTemporal({ address });
  try {
    return await work(temporal.connection);
  } finally {
    await temporal.close();
  }
}
