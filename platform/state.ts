import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { homeFolder, type Environment } from './config.ts';
import { identify } from './process-identity.ts';

const State = z.object({
  /** The supervisor. */
  pid: z.number().int(),
  /** Its pid with the time it began, as `identify` tells it: a recycled pid is not the supervisor. */
  identity: z.string(),
  apiUrl: z.string(),
  temporalAddress: z.string(),
  temporalUiUrl: z.string().optional(),
  namespace: z.string(),
  databaseUrl: z.string(),
  redisUrl: z.string(),
  metrics: z.record(z.string(), z.string()).optional(),
  processes: z.record(z.string(), z.number().int()),
  startedAt: z.string(),
});

/** `<home>/state.json`, written by `equilibrium up`: tells every other command where things listen. */
export type State = z.infer<typeof State>;

export function statePath(home: string): string {
  return join(home, 'state.json');
}

/** undefined when nothing runs there; a killed supervisor leaves its file behind, which then says nothing any more. */
export function readState(home: string): State | undefined {
  try {
    const state = State.safeParse(JSON.parse(readFileSync(statePath(home), 'utf8'))).data;
    return state !== undefined && identify(state.pid) === state.identity ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Readers see the old file or the new one, never half of it. Holds the database password, so it is private. */
export function writeState(home: string, state: State): void {
  const temporary = `${statePath(home)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, statePath(home));
}

/** The environment, completed by what a running `equilibrium up` says; what is set by hand wins. */
export function withState(env: Environment): Environment {
  const state = readState(homeFolder(env));
  if (state === undefined) return env;
  return {
    TEMPORAL_ADDRESS: state.temporalAddress,
    TEMPORAL_NAMESPACE: state.namespace,
    DATABASE_URL: state.databaseUrl,
    REDIS_URL: state.redisUrl,
    EQUILIBRIUM_API: state.apiUrl,
    ...Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== '')),
  };
}
