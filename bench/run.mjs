// `npm run bench -- <name> [flags]`: builds, then runs one bench.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../scripts/builder.mjs';

const names = ['ingest', 'estimate', 'change-to-board', 'worker-memory', 'scaling'];
const [name, ...flags] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`Which one? npm run bench -- ${names.join(' | ')}  [--seconds <n>] [--json] [--help]`);
  process.exit(1);
}
await build();
const script = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'bench', `${name}.js`);
process.exitCode =
  spawnSync(process.execPath, ['--enable-source-maps', script, ...flags], { stdio: 'inherit' }).status ?? 1;
