import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ensureKeys } from '../platform/keys.ts';
import { describe, print, UsageError } from './context.ts';

/** For a production start, which refuses the keys that the embedded start makes for itself. */
export function registerKeys(program: Command): void {
  const command = program
    .command('keys')
    .description('make a file with new signing keys and secrets for a production start')
    .requiredOption('--out <file>', 'where to write it; an existing file is never replaced')
    .action(async (options: { out: string; json?: boolean }) => {
      const path = resolve(options.out);
      if (existsSync(path)) throw new UsageError(`${path} is there already and is left as it is.`);
      const { signing, quoteSigning } = await ensureKeys(path, { embedded: false });
      const made = { path, kid: signing.kid, quote_key_id: quoteSigning.keyId };
      print(
        options,
        made,
        () => `Wrote ${path} (key ${made.kid}). Point EQUILIBRIUM_AUTH_KEYS at it and keep it secret.`,
      );
    });
  describe(command, 'keys --out keys.json');
}
