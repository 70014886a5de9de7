import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * A pid with the time its process began, so that a recycled pid is not mistaken for ours.
 * undefined when there is no such process (a zombie counts as gone).
 */
export function identify(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? identifyOnLinux(pid) : identifyByPs(pid);
}

function identifyOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function identifyByPs(pid: number): string | undefined {
  try {
    const began = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return began === '' ? undefined : `${pid} ${began}`;
  } catch {
    return undefined;
  }
}

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
