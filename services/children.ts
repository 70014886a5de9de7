import { join } from 'node:path';
import { projectRoot } from '../platform/paths.ts';
import { supervise, type Supervised } from './supervised.ts';

export interface ChildSettings {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly restartDelayMs?: number | undefined;
  readonly onRestart?: (name: string, reason: string) => void;
  readonly onGivenUp?: (name: string, reason: string) => void;
}

export interface ChildSpec {
  readonly name: string;
  /** Relative to `dist/` for our own entries, with its arguments. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready?: () => Promise<boolean>;
}

/** One of our own Node processes; it ends by itself when the supervisor is gone. */
export function startChild(settings: ChildSettings, child: ChildSpec): Promise<Supervised> {
  const { home, env, restartDelayMs, onRestart, onGivenUp } = settings;
  return supervise({
    name: child.name,
    command: process.execPath,
    args: ['--enable-source-maps', join(projectRoot(), child.script), ...(child.args ?? [])],
    cwd: projectRoot(),
    env: { ...env, ...child.env },
    logFile: join(home, 'logs', `${child.name}.log`),
    pidFile: join(home, 'run', `${child.name}.pid`),
    channel: true,
    ...(child.ready === undefined ? {} : { ready: child.ready }),
    restartDelayMs,
    onRestart: (reason) => onRestart?.(child.name, reason),
    onGivenUp: (reason) => onGivenUp?.(child.name, reason),
  });
}

/** True once the API says that it can serve. */
export async function apiReady(apiUrl: string): Promise<boolean> {
  const response = await fetch(new URL('/readyz', apiUrl), { signal: AbortSignal.timeout(3_000) });
  return response.ok;
}
