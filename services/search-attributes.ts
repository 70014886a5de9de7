import type { Connection } from '@temporalio/client';
import { searchAttributes } from '../workflows/search-attributes.ts';
import { ServiceError } from './errors.ts';

/** The types as the command line names them, with Temporal's own numbers. */
const types = { KEYWORD: ['Keyword', 2], DOUBLE: ['Double', 4], BOOL: ['Bool', 5] } as const;

/** What zone workflows can be searched by. */
export const zoneAttributes = Object.values(searchAttributes).map(({ name, type }) => {
  const [typeName, number] = types[type];
  return { name, typeName, number };
});

/** Registers what is missing. A server that does not let us, or knows a name with another type, is one clear sentence. */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const known = await listKnown(connection, namespace);
  const missing = zoneAttributes.filter(({ name }) => known.get(name) === undefined);
  const mistyped = zoneAttributes.filter(({ name, number }) => (known.get(name) ?? number) !== number);
  if (mistyped.length > 0) {
    const list = mistyped.map(({ name, typeName }) => `${name} (must be ${typeName})`).join(', ');
    throw new ServiceError(
      `The namespace ${namespace} has search attributes of another type: ${list}. Rename them there, or set TEMPORAL_NAMESPACE to another namespace.`,
    );
  }
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name, number }) => [name, number])),
    });
  } catch (error) {
    const flags = missing.map(({ name, typeName }) => `--name ${name} --type ${typeName}`).join(' ');
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
