import type { Command } from 'commander';
import { redactUrl } from '../platform/config.ts';
import type { State } from '../platform/state.ts';
import { type CliContext, describe, print } from './context.ts';

interface Status {
  readonly running: boolean;
  readonly ready: boolean;
  readonly home: string;
  readonly apiUrl?: string;
  readonly temporalAddress?: string;
  readonly temporalUiUrl?: string | undefined;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly startedAt?: string;
  readonly processes?: Readonly<Record<string, { readonly pid: number; readonly alive: boolean }>>;
}

/** Exit code 1 unless everything runs and the API says that it is ready. */
export function registerStatus(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .description('what runs, where it listens, and whether it is ready')
    .action(async (options: { json?: boolean }) => {
      const status = await readStatus(context);
      print(options, status, () => describeStatus(status));
      if (!status.ready) process.exitCode = 1;
    });
  describe(command, 'status --json');
}

async function readStatus(context: CliContext): Promise<Status> {
  const [home, state] = [context.home(), context.state()];
  if (state === undefined) return { running: false, ready: false, home };
  return { running: true, ready: await isReady(state.apiUrl), home, ...places(state) };
}

function places(state: State) {
  const processes = Object.entries(state.processes).map(([name, pid]) => [name, { pid, alive: isAlive(pid) }]);
  return {
    apiUrl: state.apiUrl,
    temporalAddress: state.temporalAddress,
    temporalUiUrl: state.temporalUiUrl,
    databaseUrl: redactUrl(state.databaseUrl),
    redisUrl: redactUrl(state.redisUrl),
    startedAt: state.startedAt,
    processes: Object.fromEntries(processes),
  };
}

function describeStatus(status: Status): string {
  if (!status.running) return `Nothing runs on ${status.home}. Start it with \`npm start\`.`;
  const rows = [
    ['ready', status.ready ? 'yes' : 'no'],
    ['api', status.apiUrl],
    ['temporal', status.temporalAddress],
    ['temporal ui', status.temporalUiUrl],
    ['postgres', status.databaseUrl],
    ['redis', status.redisUrl],
    ['home', status.home],
    ['since', status.startedAt],
    ...Object.entries(status.processes ?? {}).map(([name, { pid, alive }]) => [
      name,
      alive ? `process ${pid}` : 'not running',
    ]),
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name = '', value]) => `${name.padEnd(12)} ${value}`)
    .join('\n');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is there too, only closed to us.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function isReady(apiUrl: string): Promise<boolean> {
  try {
    return (await fetch(new URL('/readyz', apiUrl), { signal: AbortSignal.timeout(3_000) })).ok;
  } catch {
    return false;
  }
}
