import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

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
