import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { projectRoot } from './paths.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type TemporalTarget = ReturnType<typeof temporalTarget>;

/** Everything a process of ours is told from outside. Only entry files load it; all others receive values. */
export interface Config {
  readonly temporal: TemporalTarget;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Folder of everything the embedded start keeps. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** Markets that a worker serves; undefined means all active ones. */
  readonly markets: readonly string[] | undefined;
  /** File with the signing keys and secrets, see `keys.ts`. */
  readonly authKeys: string;
  /** A production start refuses the keys that the embedded start made for itself. */
  readonly production: boolean;
  readonly logLevel: LogLevel;
  /** Name of this process in Redis consumer groups. */
  readonly consumer: string;
  readonly metricsPort: number | undefined;
  /** Zones one zone worker keeps in memory; see `bench/README.md` for what a zone takes. */
  readonly zonesHeld: number;
  readonly retention: {
    /** Days that positions of drivers and events of riders are kept. */
    readonly locationDays: number;
    /** Days that prices, snapshots and quotes are kept. */
    readonly priceDays: number;
  };
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const port = z.coerce.number().int().min(0).max(65_535);
const days = z.coerce.number().int().positive();
const url = (...protocols: string[]) =>
  z.url({ protocol: new RegExp(`^(${protocols.join('|')})$`), error: `must be a ${protocols[0]}:// address` });

const Variables = z.object({
  DATABASE_URL: url('postgres', 'postgresql'),
  REDIS_URL: url('redis', 'rediss'),
  EQUILIBRIUM_HOME: z.string().optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(8000),
  EQUILIBRIUM_MARKETS: z
    .string()
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(z.string().min(1)))
    .optional(),
  EQUILIBRIUM_AUTH_KEYS: z.string().optional(),
  EQUILIBRIUM_CONSUMER: z.string().optional(),
  EQUILIBRIUM_TASK_QUEUE: z.string().default('zones'),
  NODE_ENV: z.string().optional(),
  LOG_LEVEL: z.enum(logLevels).default('info'),
  METRICS_PORT: port.optional(),
  EQUILIBRIUM_ZONES_HELD: z.coerce.number().int().positive().default(2_000),
  EQUILIBRIUM_KEEP_LOCATIONS_DAYS: days.default(90),
  EQUILIBRIUM_KEEP_PRICES_DAYS: days.default(400),
});

/** An empty variable is an absent one. Throws ConfigError with one line per wrong variable. */
export function loadConfig(env: Environment): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Variables.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return given[name] === undefined ? `${name} is not set` : `${name}: ${issue.message}`;
    });
    throw new ConfigError(
      `${lines.join('\n')}\nSet it in the environment, or run \`npm start\`, which provides all of it.`,
    );
  }
  const v = parsed.data;
  const home = homeFolder(env);
  return {
    temporal: temporalTarget(env, v.EQUILIBRIUM_TASK_QUEUE),
    databaseUrl: v.DATABASE_URL,
    redisUrl: v.REDIS_URL,
    home,
    host: v.HOST,
    port: v.PORT,
    markets: v.EQUILIBRIUM_MARKETS,
    authKeys: v.EQUILIBRIUM_AUTH_KEYS ?? join(home, 'keys.json'),
    production: v.NODE_ENV === 'production',
    logLevel: v.LOG_LEVEL,
    consumer: v.EQUILIBRIUM_CONSUMER ?? `${hostname()}-${process.pid}`,
    metricsPort: v.METRICS_PORT,
    zonesHeld: v.EQUILIBRIUM_ZONES_HELD,
    retention: {
      locationDays: v.EQUILIBRIUM_KEEP_LOCATIONS_DAYS,
      priceDays: v.EQUILIBRIUM_KEEP_PRICES_DAYS,
    },
  };
}

export function homeFolder(env: Environment): string {
  return resolve(env['EQUILIBRIUM_HOME'] || join(projectRoot(), '.equilibrium'));
}

/** The usual TEMPORAL_* variables (address, namespace, API key, TLS); a configuration file only when one is named. */
export function temporalTarget(env: Environment, taskQueue = 'zones') {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value) variables[name] = value;
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: variables,
    disableFile: variables['TEMPORAL_CONFIG_FILE'] === undefined,
  });
  const { address, tls, apiKey, metadata } = connectionOptions;
  return {
    address: address ?? '127.0.0.1:7233',
    namespace: namespace ?? 'default',
    taskQueue,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** The configuration as it may be shown: passwords, keys and certificates are replaced. */
export function redact(config: Config): Record<string, unknown> {
  const { tls, apiKey, metadata, ...temporal } = config.temporal;
  return {
    ...config,
    temporal: {
      ...temporal,
      ...(tls === undefined ? {} : { tls: tls === false ? false : hidden }),
      ...(apiKey === undefined ? {} : { apiKey: hidden }),
      ...(metadata === undefined ? {} : { metadata: hidden }),
    },
    databaseUrl: redactUrl(config.databaseUrl),
    redisUrl: redactUrl(config.redisUrl),
  };
}

const hidden = '[hidden]';

/** Keeps the user and the place, hides the password, also when it stands in the query. */
export function redactUrl(text: string): string {
  const address = new URL(text);
  if (address.password !== '') address.password = 'hidden';
  for (const name of Object.keys(Object.fromEntries(address.searchParams))) {
    if (/pass|secret|key|token/i.test(name)) address.searchParams.set(name, 'hidden');
  }
  return address.toString();
}
