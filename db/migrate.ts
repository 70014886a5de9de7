import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';

const directory = fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Brings the schema up to date; several processes may call it at once, one does the work and the others wait.
 * Returns the names of the migrations that ran now. Throws when Postgres is away or a migration fails; a failed migration leaves nothing behind.
 */
export async function migrate(
  databaseUrl: string,
  log: (message: string) => void = () => {},
): Promise<readonly string[]> {
  const done = await runner({
    databaseUrl,
    dir: directory,
    direction: 'up',
    migrationsTable: 'schema_migrations',
    advisoryLockMode: 'wait',
    logger: { info: () => {}, warn: log, error: log },
  });
  for (const { name } of done) log(`migrated ${name}`);
  return done.map(({ name }) => name);
}
