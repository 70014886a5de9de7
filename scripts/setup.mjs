// What `npm start` and `npm test` share before any dependency may be there.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Says what takes longer than a second, and how long it took. */
export async function step(label, work) {
  const began = Date.now();
  const timer = setTimeout(() => console.error(`${label} …`), 1_000);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    const seconds = (Date.now() - began) / 1_000;
    if (seconds > 1) console.error(`${label}: ${seconds.toFixed(1)} s`);
  }
}

/**
 * npm leaves a note of what it installed; older than the lockfile means that the dependencies have changed.
 * Under NODE_ENV=production npm leaves out what builds and tests, which is asked for here.
 */
export async function ensureInstalled(root) {
  const installed = modified(join(root, 'node_modules', '.package-lock.json'));
  const complete = existsSync(join(root, 'node_modules', 'typescript'));
  if (complete && installed >= modified(join(root, 'package-lock.json'))) return;
  await step('Installing dependencies (npm ci)', () =>
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], root),
  );
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** Runs a program to its end; what it says is shown only when it fails. */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args[0]} failed:\n${said.trim().split('\n').slice(0, 20).join('\n')}`));
    });
  });
}

/**
 * Calls back once at SIGINT, SIGTERM or SIGHUP. npm ends at a SIGTERM without passing it on through its shell, so a
 * changed parent counts too.
 */
export function onceInterrupted(callback) {
  let told = false;
  const tell = () => {
    if (!told) callback();
    told = true;
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, tell);
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && tell(), 500).unref();
}
