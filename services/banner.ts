import { mintToken, type Role, roles } from '../platform/tokens.ts';
import type { Keys } from '../platform/keys.ts';
import type { Figures } from './figures.ts';

export interface Ready {
  readonly apiUrl: string;
  readonly temporalUiUrl?: string | undefined;
  readonly surgingUrl?: string | undefined;
  readonly tokens: Readonly<Record<Role, string>>;
  readonly curl: string;
}

const subjects: Record<Role, string> = {
  rider: 'rider-1',
  driver: 'driver-1',
  service: 'service-1',
  operator: 'operator-1',
  admin: 'admin-1',
};

/** Everything a newcomer needs to look around, tokens valid for 24 hours. */
export async function readyFacts(
  keys: Keys,
  place: { readonly apiUrl: string; readonly temporalUiUrl?: string | undefined; readonly namespace: string },
): Promise<Ready> {
  const tokens = Object.fromEntries(
    await Promise.all(roles.map(async (role) => [role, await mintToken(keys, { role, subject: subjects[role] })])),
  ) as Record<Role, string>;
  const query = encodeURIComponent('Surging = true');
  return {
    apiUrl: place.apiUrl,
    temporalUiUrl: place.temporalUiUrl,
    surgingUrl: place.temporalUiUrl && `${place.temporalUiUrl}/namespaces/${place.namespace}/workflows?query=${query}`,
    tokens,
    curl: curlLine(place.apiUrl, tokens.rider),
  };
}

function curlLine(apiUrl: string, token: string): string {
  const body = {
    pickup_location: { latitude: 40.758, longitude: -73.9855 },
    dropoff_location: { latitude: 40.7128, longitude: -74.006 },
    vehicle_type: 'standard',
  };
  return `curl -s ${apiUrl}/api/v1/pricing/estimate -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
}

export function banner(ready: Ready): string {
  return [
    '',
    `Equilibrium is ready: ${ready.apiUrl}`,
    ...(ready.surgingUrl === undefined ? [] : [`Surging zones in the Temporal UI: ${ready.surgingUrl}`]),
    '',
    'Tokens, valid for 24 hours:',
    ...Object.entries(ready.tokens).map(([role, token]) => `  ${role.padEnd(9)}${token}`),
    '',
    'A first quote:',
    `  ${ready.curl}`,
    '',
    'Stop with Ctrl-C.',
    '',
  ].join('\n');
}

export function statusLine(figures: Figures | undefined): string {
  if (figures === undefined) return 'waiting for Redis and Postgres …';
  const { zonesPriced, zonesSurging, highest, events, quotes } = figures;
  return `${zonesPriced} zones priced · ${zonesSurging} surging (highest ${highest.toFixed(2)}) · ${events} events · ${quotes} quotes`;
}
