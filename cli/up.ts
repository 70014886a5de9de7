import type { Command } from 'commander';
import { type CliContext, describe } from './context.ts';
import { port, speed, timeText } from './options.ts';

export interface UpOptions {
  /** Forget everything that was kept and begin anew. */
  readonly fresh: boolean;
  /** Play a day of real demand against it. */
  readonly demo: boolean;
  /** Wanted port of the API; undefined leaves it to the environment. */
  readonly port: number | undefined;
  readonly speed: number;
  readonly from: string;
  readonly json: boolean;
}

/** Runs until a signal; the answer is the exit code. Injected, because the command line must not import the services. */
export type StartEverything = (context: CliContext, options: UpOptions) => Promise<number>;

interface Flags {
  readonly fresh?: boolean;
  readonly demo?: boolean;
  readonly port?: number;
  readonly speed: number;
  readonly from: string;
  readonly json?: boolean;
}

export function registerUp(program: Command, context: CliContext, start: StartEverything): void {
  const command = program
    .command('up')
    .description('start Temporal, Postgres, Redis, the workers and the API, and keep them running')
    .option('--fresh', 'forget everything that was kept and begin anew')
    .option('--demo', 'play a real day of demand in New York')
    .option('--port <n>', 'where the API should listen', port)
    .option('--from <hh:mm>', 'where the demo begins in its day', timeText, '17:00')
    .option('--speed <n>', 'how much faster than life the demo runs', speed, 20)
    .action(async (flags: Flags) => {
      process.exitCode = await start(context, {
        fresh: flags.fresh === true,
        demo: flags.demo === true,
        port: flags.port,
        speed: flags.speed,
        from: flags.from,
        json: flags.json === true,
      });
    });
  describe(command, 'up --demo --fresh');
}
