import { existsSync, realpathSync } from 'node:fs';

const extensions = ['', '.js', '.mjs', '.ts'];

/**
 * Whether this module (`import.meta.filename`) is what Node was started with, also through a symbolic link and without
 * the extension: a program that takes itself for a library would do nothing and seem to have succeeded.
 */
export function isEntry(filename: string, started: string | undefined = process.argv[1]): boolean {
  if (started === undefined) return false;
  const real = realpathSync(filename);
  return extensions.some((extension) => {
    const path = `${started}${extension}`;
    return existsSync(path) && realpathSync(path) === real;
  });
}
