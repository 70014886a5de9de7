import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Client, Pool } from 'pg';
import { migrate } from '../db/migrate.ts';
import { services } from './harness.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly pool: Pool;
}

/** A migrated database of its own, cloned from a template that the first test makes; dropped on dispose. */
export async function freshDatabase(): Promise<TestDatabase> {
  const template = await migratedTemplate();
  const name = `t_${randomBytes(6).toString('hex')}`;
  await asOwner((client) => client.query(`create database ${name} template ${template} strategy file_copy`));
  const url = databaseUrl(name);
  const pool = new Pool({ connectionString: url, max: 5 });
  pool.on('error', () => {});
  return {
    url,
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await asOwner((client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

let template: Promise<string> | undefined;

/** Named after the text of the migrations, so an edited migration never meets an old template. */
function migratedTemplate(): Promise<string> {
  template ??= makeTemplate(`template_${migrationsHash()}`);
  return template;
}

function makeTemplate(name: string): Promise<string> {
  return asOwner(async (client) => {
    await client.query('select pg_advisory_lock(7041)'); // one test process makes it, the others wait
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 1) return name;
    await client.query(`drop database if exists ${name}_new with (force)`);
    await client.query(`create database ${name}_new`);
    await migrate(databaseUrl(`${name}_new`));
    await client.query(`alter database ${name}_new rename to ${name}`);
    return name;
  });
}

function migrationsHash(): string {
  const hash = createHash('sha256');
  const folder = new URL('../db/migrations/', import.meta.url);
  for (const file of readdirSync(folder).toSorted()) hash.update(file).update(readFileSync(new URL(file, folder)));
  hash.update(readFileSync(new URL('../db/migrate.ts', import.meta.url)));
  return hash.digest('hex').slice(0, 16);
}

function databaseUrl(name: string): string {
  const url = new URL(services().databaseUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

async function asOwner<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: services().databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
