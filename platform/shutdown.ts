import type { Logger } from './log.ts';

type Close = () => unknown;

export interface Shutdown {
  /** Closed in the reverse order of registration. */
  onShutdown(name: string, close: Close): void;
  /** Resolves at SIGTERM, SIGINT, when the supervisor is gone, or at `stop`; then everything is closed. */
  runUntilSignal(): Promise<void>;
  /** Ends `runUntilSignal` from inside, for instance when a worker failed for good. */
  stop(reason: string): void;
}

const echoMs = 1_000;
/** What each step gets at least, and what the process waits for after the last. */
const leastMs = 500;

/**
 * All closing together may take `timeoutMs`; what takes longer is logged and left behind, as the process must end.
 * A second signal, later than the echo of a Ctrl-C that npm passes on, ends it at once.
 */
export function createShutdown(log: Pick<Logger, 'info' | 'warn'>, timeoutMs = 10_000): Shutdown {
  const steps: { name: string; close: Close }[] = [];
  const { promise: asked, resolve: stop } = deferred<string>();
  let firstAtMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAtMs !== undefined && Date.now() - firstAtMs > echoMs) process.exit(130);
    firstAtMs ??= Date.now();
    stop(signal);
  };
  return {
    onShutdown: (name, close) => void steps.push({ name, close }),
    stop,
    async runUntilSignal() {
      process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
      watchSupervisor(() => stop('supervisor gone'));
      const reason = await asked;
      log.info({ reason }, 'stopping');
      const until = Date.now() + timeoutMs;
      for (const { name, close } of steps.toReversed()) {
        await closeWithin(name, close, Math.max(until - Date.now(), leastMs), log);
      }
      log.info('stopped');
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
      if (process.connected) process.disconnect();
      // Only fires when something left behind keeps the process alive.
      setTimeout(() => process.exit(), leastMs).unref();
    },
  };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A child of `equilibrium up` has a channel to it; it breaks even when the supervisor is killed outright. */
function watchSupervisor(gone: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', gone);
  process.channel?.unref();
}

async function closeWithin(name: string, close: Close, timeoutMs: number, log: Pick<Logger, 'warn'>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  try {
    const result = await Promise.race([Promise.resolve().then(close), late]);
    if (result === 'late') log.warn({ name, timeoutMs }, 'closing takes too long, going on');
  } catch (error) {
    log.warn({ name, error: String(error) }, 'closing failed');
  } finally {
    clearTimeout(timer);
  }
}
