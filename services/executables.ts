import { type ChildProcess, execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The full path of the first of `names` found on PATH. */
export function findOnPath(env: NodeJS.ProcessEnv, ...names: string[]): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where downloads and builds are kept between clones. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'equilibrium');
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Running tools, so that an interrupt can end them too. */
const running = new Set<ChildProcess>();
let stopped = false;

/** Ends the tools that run; none is started any more. */
export function stopTools(): void {
  stopped = true;
  for (const child of running) child.kill('SIGTERM');
}

/** Runs a tool to its end and returns what it printed; rejects with the end of its complaints. */
export function runTool(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly timeoutMs?: number } = {},
): Promise<string> {
  if (stopped) return Promise.reject(new Error(`${command} was not started, as everything is being stopped`));
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      {
        maxBuffer: 16_000_000,
        timeout: options.timeoutMs ?? 0,
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
      (error, stdout, stderr) => {
        running.delete(child);
        if (error === null) return resolve(stdout);
        const said = stderr.trim().split('\n').slice(-5).join('\n');
        reject(new Error(`${command} failed${said === '' ? `: ${error.message}` : `:\n${said}`}`));
      },
    );
    running.add(child);
  });
}

/** How a program is wrapped so that on Linux it gets a signal when its supervisor dies, however that dies. */
export function dieWithParent(
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  { flags = [], deathSignal = 'TERM' }: { readonly flags?: readonly string[]; readonly deathSignal?: string } = {},
): { command: string; args: string[] } {
  const setpriv = process.platform === 'linux' ? findOnPath(env, 'setpriv') : undefined;
  if (setpriv === undefined) return { command, args: [...args] };
  return { command: setpriv, args: [...flags, '--pdeathsig', deathSignal, command, ...args] };
}
