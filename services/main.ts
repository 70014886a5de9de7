import type { CliContext } from '../cli/context.ts';
import { prepareEverything } from './prepare.ts';
import { createProgress } from './progress.ts';

export { startEverything } from './up.ts';

/** What the command line is given, as it must not import the services itself. */
export function prepare(context: CliContext): Promise<{ readonly migrations: readonly string[] }> {
  return prepareEverything(context, createProgress());
}
