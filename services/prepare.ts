import type { CliContext } from '../cli/context.ts';
import { importNewYork } from '../cli/zones.ts';
import { migrate } from '../db/migrate.ts';
import { createPool } from '../platform/connections.ts';
import { useForeignTemporal } from './temporal.ts';
import type { Progress } from './progress.ts';

/** Schema and zones; running it again changes nothing. Answers the migrations that ran now. */
export async function prepareDatabase(databaseUrl: string, progress: Progress): Promise<readonly string[]> {
  const migrations = await progress.step('Preparing the database', () => migrate(databaseUrl));
  const pool = createPool(databaseUrl, { max: 2 });
  try {
    await progress.step('Importing the zones of New York', () => importNewYork(pool));
  } finally {
    await pool.end();
  }
  return migrations;
}

/** `equilibrium prepare`: the same for servers that the environment names. */
export async function prepareEverything(
  context: CliContext,
  progress: Progress,
): Promise<{ readonly migrations: readonly string[] }> {
  const { databaseUrl } = context.config();
  await useForeignTemporal({ ...context.env });
  return { migrations: await prepareDatabase(databaseUrl, progress) };
}
