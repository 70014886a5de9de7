import type { Connection } from '@temporalio/client';
import { ServiceError } from './errors.ts';

/** What zone workflows can be searched by; the values are Temporal's own numbers of the types. */
export const searchAttributes = {
  Market: 'Keyword',
  ZoneId: 'Keyword',
  VehicleClass: 'Keyword',
  ZoneStatus: 'Keyword',
  Surging: 'Bool',
  SurgeMultiplier: 'Double',
} as const;

const typeNumbers = { Keyword: 2, Double: 4, Bool: 5 } as const;

/** Registers what is missing. A server that does not let us, or knows a name with another type, is one clear sentence. */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const known = await listKnown(connection, namespace);
  const missing = Object.entries(searchAttributes).filter(([name]) => known.get(name) === undefined);
  const mistyped = Object.entries(searchAttributes).filter(([name, type]) => {
    const is = known.get(name);
    return is !== undefined && is !== typeNumbers[type];
  });
  if (mistyped.length > 0) {
    const list = mistyped.map(([name, type]) => `${name} (must be ${type})`).join(', ');
    throw new ServiceError(
      `The namespace ${namespace} has search attributes of another type: ${list}. Rename them there, or set TEMPORAL_NAMESPACE to another namespace.`,
    );
  }
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, typeNumbers[type]])),
    });
  } catch (error) {
    const flags = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ');
    throw new ServiceError(
      `This Temporal does not let us register search attributes (${reason(error)}). Ask its operator to run: temporal operator search-attribute create --namespace ${namespace} ${flags}`,
    );
  }
}

async function listKnown(connection: Connection, namespace: string): Promise<Map<string, number>> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return new Map(Object.entries(customAttributes ?? {}).map(([name, type]) => [name, type]));
  } catch {
    return new Map();
  }
}

export function reason(error: unknown): string {
  const details = error instanceof Error && 'details' in error ? error.details : undefined;
  if (typeof details === 'string' && details !== '') return details;
  return error instanceof Error ? error.message : String(error);
}
