import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { identify } from '../platform/process-identity.ts';

/** Writes who a process is, for the next start. */
export function writePidFile(path: string, pid: number): void {
  const identity = identify(pid);
  if (identity !== undefined) writeFileSync(path, identity);
}

/** The pid in the file, if that very process still runs. */
export function readPidFile(path: string): number | undefined {
  try {
    const identity = readFileSync(path, 'utf8');
    const pid = Number(identity.split(' ')[0]);
    return identify(pid) === identity ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Ends what an earlier supervisor left running: asks first, insists after `patienceMs`. */
export async function stopLeftover(pidFile: string, patienceMs = 10_000): Promise<boolean> {
  const pid = readPidFile(pidFile);
  if (pid !== undefined) {
    signal(pid, 'SIGTERM');
    const insistAt = Date.now() + patienceMs;
    while (readPidFile(pidFile) !== undefined) {
      if (Date.now() > insistAt) signal(pid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  rmSync(pidFile, { force: true });
  return pid !== undefined;
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // already gone
  }
}
