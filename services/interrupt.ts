import { stopTools } from './executables.ts';
import { killAll } from './supervised.ts';

const patienceMs = 2_000;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP, or when the npm that started us is gone.
 * npm passes on a Ctrl-C that the terminal already sent, so only a later second signal means impatience.
 */
export function untilInterrupted(env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = (name: string) => {
      if (firstAtMs !== undefined && Date.now() - firstAtMs > patienceMs) {
        killAll();
        process.exit(130);
      }
      firstAtMs ??= Date.now();
      stopTools();
      resolve(name);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => onSignal(name));
    if (env['npm_lifecycle_event'] !== undefined) watchParent(() => onSignal('npm is gone'));
  });
}

function watchParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, 1_000);
  timer.unref();
}
