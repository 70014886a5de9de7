import type { Environment } from '../platform/config.ts';

interface Service {
  readonly name: string;
  readonly host: string;
  readonly port: string;
}

const codes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE'],
  // Postgres while it starts or stops.
  '57P01',
  '57P02',
  '57P03',
]);

/** What the clients say themselves when nobody answers, and of whom they speak then. */
const sayings: readonly (readonly [RegExp, string])[] = [
  [/^Redis did not answer|max retries per request|^Connection is closed|enableOfflineQueue/i, 'Redis'],
  [/^Command timed out/, 'Redis'],
  [/^Connection terminated|timeout expired|timeout exceeded when trying to connect/, 'Postgres'],
  [/connect before the deadline|Failed to connect|14 UNAVAILABLE|4 DEADLINE_EXCEEDED/, 'Temporal'],
];

/**
 * One sentence when the error means that a server of ours does not answer, otherwise undefined.
 * `env` holds the addresses in force.
 */
export function unreachable(error: unknown, env: Environment): string | undefined {
  const errors = [...everyCause(error)];
  const services = placesIn(env);
  const named = errors.map((one) => speakerOf(one)).find((name) => name !== undefined);
  const service =
    services.find(({ name }) => name === named) ?? services.find((one) => errors.some((error) => isAbout(error, one)));
  if (service !== undefined) return sentence(`${service.name} at ${service.host}:${service.port}`);
  const refused = errors.find(({ code }) => codes.has(String(code)));
  if (refused === undefined && named === undefined) return undefined;
  return sentence(named ?? placeOf(refused) ?? 'A server that is needed');
}

function sentence(who: string): string {
  return `${who} does not answer; is \`equilibrium up\` running?`;
}

interface Failure {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
}

/** The error, its causes, and those that it collects. */
function* everyCause(error: unknown): Generator<Failure> {
  for (let one = error, depth = 0; one instanceof Error && depth < 8; one = one.cause, depth += 1) {
    yield one;
    if (one instanceof AggregateError) for (const part of one.errors) yield* everyCause(part);
  }
}

function speakerOf({ message }: Failure): string | undefined {
  return sayings.find(([pattern]) => pattern.test(String(message)))?.[1];
}

function isAbout({ code, address, port, hostname }: Failure, service: Service): boolean {
  if (!codes.has(String(code))) return false;
  if (String(code).startsWith('57P')) return service.name === 'Postgres';
  if (hostname !== undefined) return hostname === service.host;
  return String(port) === service.port && address !== undefined;
}

function placeOf(failure: Failure | undefined): string | undefined {
  if (typeof failure?.address !== 'string') return undefined;
  return `The server at ${failure.address}${typeof failure.port === 'number' ? `:${failure.port}` : ''}`;
}

function placesIn(env: Environment): Service[] {
  const known = [
    { name: 'Postgres', url: env['DATABASE_URL'], port: '5432' },
    { name: 'Redis', url: env['REDIS_URL'], port: '6379' },
    { name: 'Temporal', url: `temporal://${env['TEMPORAL_ADDRESS'] || '127.0.0.1:7233'}`, port: '7233' },
  ];
  return known.flatMap(({ name, url, port }) => {
    if (!url || !URL.canParse(url)) return [];
    const place = new URL(url);
    return [{ name, host: place.hostname, port: place.port || port }];
  });
}
