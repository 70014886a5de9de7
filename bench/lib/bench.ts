import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { untilInterrupted } from '../../services/interrupt.ts';
import { watchOthers } from './process-figures.ts';
import { Rig } from './rig.ts';
import { renderTable, type Table } from './table.ts';

export interface BenchOptions {
  /** Length of each measured stretch. */
  readonly seconds: number;
  /** Alternating rounds of ours and the bare one. */
  readonly rounds: number;
  /** Numbers of zones, where a bench takes them. */
  readonly zones: readonly number[];
}

export interface Report {
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
}

export interface Bench {
  readonly name: string;
  readonly temporal: boolean;
  readonly markets: string;
  readonly defaults: BenchOptions;
  readonly run: (rig: Rig, options: BenchOptions) => Promise<Report>;
}

const usage = `[--seconds <n>] [--rounds <n>] [--zones <n,n,…>] [--profile <folder>] [--json]`;

/** The life of a bench: services up, measured, printed, everything down again, also when interrupted. */
export async function runBench(bench: Bench, argv = process.argv.slice(2), env = process.env): Promise<void> {
  const flags = readFlags(bench, argv);
  if (flags === undefined) return;
  const { options, json, profile } = flags;
  const before = loadavg()[0] ?? 0;
  const interrupted = untilInterrupted(env).then((): never => {
    throw new Error('interrupted');
  });
  let rig: Rig | undefined;
  try {
    rig = await Promise.race([
      Rig.open({ env, temporal: bench.temporal, markets: bench.markets, profile }),
      interrupted,
    ]);
    const others = watchOthers();
    const report = await Promise.race([bench.run(rig, options), interrupted]);
    const elsewhere = `other programs took ${Math.round(100 * others())} % of one core meanwhile`;
    const load = `load average ${before.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after; ${elsewhere}`;
    print(bench.name, options, report, load, json);
  } catch (error) {
    process.stderr.write(`${bench.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    // What is still under way loses its connections now, which is no news.
    process.on('unhandledRejection', () => {});
    process.on('uncaughtException', () => {});
    await rig?.close();
  }
  // What a failed stretch left waiting must not keep a finished bench alive.
  setImmediate(() => process.exit());
}

function readFlags({ name, defaults }: Bench, argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      zones: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${name} ${usage}\nDefaults: ${JSON.stringify(defaults)}\n`);
    return undefined;
  }
  const options: BenchOptions = {
    seconds: positive(values.seconds, defaults.seconds),
    rounds: positive(values.rounds, defaults.rounds),
    zones: values.zones === undefined ? defaults.zones : values.zones.split(',').map((text) => positive(text, 1)),
  };
  return { options, json: values.json, profile: values.profile };
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isFinite(value) || value <= 0) throw new RangeError(`${text} is not a positive number`);
  return value;
}

function print(name: string, options: BenchOptions, report: Report, load: string, json: boolean): void {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, ${load}`;
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ bench: name, at: new Date().toISOString(), machine, options, ...report })}\n`,
    );
    return;
  }
  const notes = [...report.notes, machine].map((note) => `- ${note}`);
  process.stdout.write(`## ${name}\n\n${report.tables.map(renderTable).join('\n')}\n${notes.join('\n')}\n`);
}
