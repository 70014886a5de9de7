// Compiles to dist/, copies what TypeScript does not, and bundles the workflow code. Skips all of it when nothing changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stamp = '.source-hash';
/** Built beside and then exchanged, so that a running `npm start` never sees half of it. */
const fresh = join(root, `dist-${process.pid}`);
const sources = [
  'activities',
  'api',
  'bench',
  'cli',
  'db',
  'domain',
  'geo',
  'platform',
  'scripts',
  'services',
  'workers',
  'workflows',
];
const copied = /\.(lua|sql|json|html|css)$/;

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .toSorted();
}

function sourceFiles() {
  const files = sources.flatMap((folder) => filesBelow(join(root, folder)));
  return files.filter((file) => file.endsWith('.ts') || copied.test(file));
}

/** Of everything the output depends on: our text, the compiler's settings and the exact dependencies. */
function sourceHash() {
  const hash = createHash('sha256');
  const others = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/builder.mjs'];
  for (const file of [...sourceFiles(), ...others.map((name) => join(root, name))]) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function compile() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh],
    {
      stdio: 'inherit',
    },
  );
  if (status !== 0) throw new Error('the TypeScript compiler found errors');
}

function copyOthers() {
  for (const file of sourceFiles().filter((name) => copied.test(name))) {
    const target = join(fresh, relative(root, file));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target);
  }
}

/** Workers load one ready file instead of bundling at every start. */
async function bundleWorkflows() {
  const entry = join(fresh, 'workflows', 'index.js');
  if (!existsSync(entry)) return;
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger: quiet });
  writeFileSync(join(fresh, 'workflows', 'bundle.js'), code);
}

export async function build({ force = false } = {}) {
  const hash = sourceHash();
  const built = join(dist, stamp);
  if (!force && existsSync(built) && readFileSync(built, 'utf8') === hash) return false;
  try {
    compile();
    copyOthers();
    await bundleWorkflows();
    writeFileSync(join(fresh, stamp), hash);
    exchange();
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return true;
}

/** Again when another command that builds at the same time came in between. */
function exchange(attempt = 1) {
  const old = `${fresh}-old${attempt}`;
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } catch (error) {
    if (attempt === 5) throw error;
    exchange(attempt + 1);
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}
