import { readdirSync, readFileSync } from 'node:fs';

const msPerTick = 10;

/** ms of CPU that a process has used, with its children, living and ended. Linux only; NaN elsewhere. */
export function cpuMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return Number.NaN;
  // Fields after the name, which may hold spaces: 14–17 of the whole line are utime, stime and those of ended children.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = [11, 12, 13, 14].reduce((total, i) => total + Number(fields[i]), 0) * msPerTick;
  return children(pid).reduce((total, child) => total + (cpuMs(child) || 0), own);
}

/** MB held by a process and its children; memory that several of them share is counted once. */
export function memoryMb(pid: number): number {
  const family = children(pid);
  const own = family.length === 0 ? field(pid, 'status', 'VmRSS') : proportional(pid);
  return family.reduce((total, child) => total + proportional(child), own);
}

function proportional(pid: number): number {
  const exact = field(pid, 'smaps_rollup', 'Pss');
  return Number.isNaN(exact) ? field(pid, 'status', 'VmRSS') : exact;
}

function field(pid: number, file: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/${file}`) ?? '')?.[1];
  return found === undefined ? Number.NaN : Number(found) / 1024;
}

function children(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      (read(`/proc/${pid}/task/${task}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** ms of CPU that this machine has spent on anything. */
function busyMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = (
    /^cpu +(.*)$/m.exec(read('/proc/stat') ?? '')?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + soft) * msPerTick;
}

/** What part of one core programs other than this one and its children take, from now until asked. */
export function watchOthers(): () => number {
  const others = () => busyMs() - cpuMs(process.pid);
  const [before, beganMs] = [others(), performance.now()];
  return () => (others() - before) / (performance.now() - beganMs);
}

/** CPU of several processes over a stretch of time. */
export class CpuMeter {
  readonly #pids: Readonly<Record<string, number>>;
  #from: Readonly<Record<string, number>> = {};
  #sinceMs = 0;

  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
    this.reset();
  }

  reset(): void {
    this.#from = this.#read();
    this.#sinceMs = performance.now();
  }

  /** ms of CPU since the last reset, by name. */
  used(): Record<string, number> {
    const now = this.#read();
    return Object.fromEntries(Object.keys(now).map((name) => [name, (now[name] ?? 0) - (this.#from[name] ?? 0)]));
  }

  /** Parts of one core since the last reset, by name: `redis 12 %, zones 40 %`. */
  shares(): string {
    const elapsed = performance.now() - this.#sinceMs;
    const parts = Object.entries(this.used()).map(([name, ms]) => `${name} ${Math.round((100 * ms) / elapsed)} %`);
    return parts.join(', ');
  }

  #read(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#pids).map(([name, pid]) => [name, cpuMs(pid)]));
  }
}
