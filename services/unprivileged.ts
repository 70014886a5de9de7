import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ServiceError } from './errors.ts';
import { dieWithParent, findOnPath, isRoot, runTool } from './executables.ts';

/** How a program is started so that it does not run as root. */
export interface Runner {
  /** undefined: nothing has to change, the program runs as the present user. */
  readonly user?: { readonly uid: number; readonly gid: number };
  wrap(command: string, args: readonly string[]): { command: string; args: string[] };
}

const userName = 'postgres';

/** For Postgres this means: end open sessions instead of waiting for them. */
const deathSignal = 'INT';

/**
 * Postgres refuses to run as root, so root lends it an unprivileged user.
 * A clone below /root is closed to that user; it then keeps the one capability that lets it pass folders it does not own.
 */
export async function unprivilegedRunner(env: NodeJS.ProcessEnv, mustReach: readonly string[]): Promise<Runner> {
  const setpriv = findOnPath(env, 'setpriv');
  if (!isRoot()) return { wrap: (command, args) => dieWithParent(env, command, args, { deathSignal }) };
  const user = await ensureUser(env);
  if (setpriv === undefined) {
    throw new ServiceError(
      'Postgres may not run as root and `setpriv` (package util-linux) was not found: install it, start as another user, or set DATABASE_URL.',
    );
  }
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const attempts = [identity, ...passingCapabilities().map((name) => [...identity, ...keep(name)])];
  const flags = attempts.find((flags) => reaches(setpriv, flags, mustReach));
  if (flags === undefined) {
    throw new ServiceError(
      `The user ${userName}, which runs Postgres, cannot enter ${mustReach.join(' or ')}: move the clone to a folder that others may enter, or set DATABASE_URL.`,
    );
  }
  return { user, wrap: (command, args) => dieWithParent(env, command, args, { flags, deathSignal }) };
}

/** `access()` ignores capabilities of a user other than root unless the securebit says otherwise. */
function keep(capability: string): string[] {
  return ['--securebits=+no_setuid_fixup', `--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`];
}

/** Of the two capabilities that open closed folders, those that this process has; containers often hold just the second. */
function passingCapabilities(): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const bits = BigInt(`0x${effective}`);
  const known = [
    { name: 'dac_read_search', bit: 2n },
    { name: 'dac_override', bit: 1n },
  ];
  return known.filter(({ bit }) => (bits >> bit) % 2n === 1n).map(({ name }) => name);
}

function reaches(setpriv: string, flags: readonly string[], paths: readonly string[]): boolean {
  try {
    const script = 'for p in "$@"; do test -x "$p" || exit 1; done';
    execFileSync(setpriv, [...flags, 'sh', '-c', script, 'sh', ...paths], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function ensureUser(env: NodeJS.ProcessEnv): Promise<{ uid: number; gid: number }> {
  const known = await lookUp();
  if (known !== undefined) return known;
  const useradd = findOnPath({ PATH: `${env['PATH']}:/usr/sbin:/sbin` }, 'useradd', 'adduser');
  const args = useradd?.endsWith('useradd')
    ? ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', userName]
    : ['-S', '-D', '-H', userName];
  if (useradd !== undefined) await runTool(useradd, args).catch(() => undefined);
  const made = await lookUp();
  if (made === undefined) {
    throw new ServiceError(
      `Postgres may not run as root and the user ${userName} could not be made: start as another user, or set DATABASE_URL.`,
    );
  }
  return made;
}

async function lookUp(): Promise<{ uid: number; gid: number } | undefined> {
  try {
    return { uid: Number(await runTool('id', ['-u', userName])), gid: Number(await runTool('id', ['-g', userName])) };
  } catch {
    return undefined;
  }
}
