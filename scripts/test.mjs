// `npm test`: installs, builds, starts private services in a temporary folder on free ports, runs every test, and
// leaves nothing behind. The last line counts the results. Arguments are passed on to vitest.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, onceInterrupted, step } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const children = new Set();
let interrupted = false;
/** Why the tests that skip time could not run. */
let leftOut;

/** Runs a Node program in the project's folder; the answer is its exit code. */
function node(args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
    children.add(child);
    child.on('close', (code) => {
      children.delete(child);
      resolve(code ?? 1);
    });
  });
}

/** The same as `npm run lint`; answers how many of its tools found something. Each says what. */
async function checkText() {
  let findings = 0;
  for (const [name, program, ...args] of [
    ['oxlint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
    ['Biome', '@biomejs/biome/bin/biome', 'check', '.'],
    ['Knip', 'knip/bin/knip.js'],
  ]) {
    if (interrupted || (await node([join(root, 'node_modules', program), ...args])) === 0) continue;
    findings += 1;
    console.error(`${name} has findings, which count as one failure.`);
  }
  return findings;
}

/** A green run of continuous integration must not hide that a part of the tests never ran. */
function warnOfLeftOut() {
  if (leftOut === undefined || !['1', 'true'].includes(process.env.CI)) return;
  const line = '!'.repeat(100);
  console.log(`${line}\nWARNING: the tests that skip time did NOT run: ${leftOut}\n${line}`);
}

function signalChildren(name) {
  for (const child of children) child.kill(name);
}

function onInterrupt() {
  interrupted = true;
  signalChildren('SIGTERM');
  setTimeout(() => signalChildren('SIGKILL'), 5_000).unref();
}

/** Services of our own: what the environment names must not be used by tests that create and drop. */
async function startPrivateServices(home) {
  const { startServices } = await import('../dist/services/services.js');
  const { createProgress } = await import('../dist/services/progress.js');
  const { TEMPORAL_ADDRESS: _t, DATABASE_URL: _d, REDIS_URL: _r, ...env } = process.env;
  const ports = { temporal: 0, temporalUi: 0, postgres: 0, redis: 0 };
  return startServices({ home, env, ports, progress: createProgress() });
}

async function findTimeSkippingServer() {
  const { timeSkippingServer } = await import('../dist/services/time-skipping-server.js');
  const { createProgress } = await import('../dist/services/progress.js');
  const found = await timeSkippingServer(process.env, createProgress());
  if (found.path === undefined) {
    leftOut = found.why;
    console.error(`Time-skipping tests are left out: ${found.why}`);
  }
  return found.path;
}

function countResults(reportFile) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(reportFile, 'utf8'),
    );
    const brokenFiles = testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    );
    return {
      passed: numPassedTests,
      failed: numFailedTests + brokenFiles.length,
      skipped: numPendingTests + numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function runTests(folder) {
  const services = await startPrivateServices(join(folder, 'home'));
  try {
    const servicesFile = join(folder, 'services.json');
    const reportFile = join(folder, 'report.json');
    const { redisUrl, databaseUrl, temporalAddress } = services;
    const server = await findTimeSkippingServer();
    writeFileSync(servicesFile, JSON.stringify({ redisUrl, databaseUrl, temporalAddress, timeSkippingServer: server }));
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const env = { ...process.env, EQUILIBRIUM_TEST_SERVICES: servicesFile };
    if (interrupted) return { passed: 0, failed: 0, skipped: 0 };
    await node([vitest, 'run', ...reporters, ...process.argv.slice(2)], env);
    return countResults(reportFile);
  } finally {
    await services.stop();
  }
}

async function main() {
  await ensureInstalled(root);
  const { build } = await import('./builder.mjs');
  await step('Building', () => build());
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const typed = (await step('Checking types', () => node([compiler, '--noEmit', '-p', 'tsconfig.json']))) === 0;
  const findings = await step('Checking rules, format and unused code', checkText);
  const folder = mkdtempSync(join(tmpdir(), 'equilibrium-test-'));
  // Postgres may run as another user, which has to pass this folder.
  chmodSync(folder, 0o755);
  try {
    const { passed, failed, skipped } = await runTests(folder);
    return { passed, failed: failed + (typed ? 0 : 1) + findings, skipped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

onceInterrupted(onInterrupt);
try {
  const { passed, failed, skipped } = await main();
  if (interrupted) console.log('Interrupted.');
  warnOfLeftOut();
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed > 0 || passed === 0 || interrupted ? 1 : 0);
} catch (error) {
  console.error(error.name === 'ServiceError' ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
