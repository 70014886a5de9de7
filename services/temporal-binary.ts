import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError } from './errors.ts';
import { cacheFolder, findOnPath, isExecutable, runTool } from './executables.ts';
import type { Progress } from './progress.ts';

const cliVersion = 'v1.5.1';

/** A `temporal` program: on PATH, in our cache, downloaded by the SDK, or built with Go (once, about two minutes). */
export async function findTemporal(env: NodeJS.ProcessEnv, progress: Progress): Promise<string> {
  const cache = join(cacheFolder(env), 'temporal');
  const found = findOnPath(env, 'temporal') ?? cached(cache);
  if (found !== undefined) return found;
  mkdirSync(cache, { recursive: true });
  const complaints: string[] = [];
  for (const [label, get] of sources(env, cache)) {
    try {
      await progress.step(label, get);
    } catch (error) {
      complaints.push(error instanceof Error ? error.message : String(error));
    }
    const got = cached(cache);
    if (got !== undefined) return got;
  }
  throw new ServiceError(
    `No Temporal server was found. Install the \`temporal\` command line tool or Go (it is then built once), or set TEMPORAL_ADDRESS to a server that runs. Tried: ${complaints.join('; ')}`,
  );
}

function sources(env: NodeJS.ProcessEnv, cache: string): [string, () => Promise<void>][] {
  return [
    ['Downloading the Temporal server', () => downloadWithSdk(cache)],
    ['Building the Temporal server with Go, once (about two minutes)', () => buildWithGo(env, cache)],
  ];
}

function cached(folder: string): string | undefined {
  try {
    const names = readdirSync(folder).filter(
      (name) => /^temporal[\w.-]*$/.test(name) && !/\.(zip|gz|tmp|part)/.test(name),
    );
    return names.map((name) => join(folder, name)).find(isExecutable);
  } catch {
    return undefined;
  }
}

/** The probe fails within seconds where there is no internet; the download itself may take its time. */
async function downloadWithSdk(cache: string): Promise<void> {
  try {
    await fetch('https://temporal.download/cli', { method: 'HEAD', signal: AbortSignal.timeout(3_000) });
  } catch {
    throw new Error('the download site cannot be reached');
  }
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const executable = { type: 'cached-download' as const, downloadDir: cache };
  const server = await TestWorkflowEnvironment.createLocal({ server: { executable, ui: false } });
  await server.teardown();
}

async function buildWithGo(env: NodeJS.ProcessEnv, cache: string): Promise<void> {
  const go = findOnPath({ PATH: `${env['PATH']}:/usr/local/go/bin` }, 'go');
  if (go === undefined) throw new Error('Go is not installed');
  await runTool(go, ['install', `github.com/temporalio/cli/cmd/temporal@${cliVersion}`], {
    env: { ...env, GOBIN: cache, GOFLAGS: '-modcacherw' },
  });
}
