import type { Command } from 'commander';
import { redact } from '../platform/config.ts';
import { type CliContext, describe, print } from './context.ts';

export function registerConfig(program: Command, context: CliContext): void {
  const command = program
    .command('config')
    .description('show the configuration in force, with secrets hidden')
    .option('--print', 'print it (what it does anyway)')
    .action((options: { json?: boolean }) => {
      const shown = redact(context.config());
      print(options, shown, () => JSON.stringify(shown, null, 2));
    });
  describe(command, 'config --print');
}
