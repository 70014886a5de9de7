import type { Command } from 'commander';
import { type CliContext, describe, print } from './context.ts';

/** Injected like `up`, because the command line must not import the services. */
export type PrepareEverything = (context: CliContext) => Promise<{ readonly migrations: readonly string[] }>;

/** What `up` does before it starts processes, for a deployment where something else starts them. Safe to run again. */
export function registerPrepare(program: Command, context: CliContext, prepare: PrepareEverything): void {
  const command = program
    .command('prepare')
    .description('bring servers that are yours up to date: schema, search attributes, zones of New York')
    .action(async (options: { json?: boolean }) => {
      const done = await prepare(context);
      print(options, done, () =>
        done.migrations.length === 0 ? 'Everything was up to date.' : `Ran ${done.migrations.join(', ')}.`,
      );
    });
  describe(command, 'prepare');
}
