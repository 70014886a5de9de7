import { setTimeout as sleep } from 'node:timers/promises';

export interface Repeated {
  stop(): Promise<void>;
}

/** Does the work now and then `everyMs` after each end; sooner, after `retryMs`, when it failed. */
export function startRepeated(
  work: () => Promise<unknown>,
  { everyMs, retryMs, onError }: { everyMs: number; retryMs: number; onError: (error: unknown) => void },
): Repeated {
  const stopping = new AbortController();
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let pauseMs = everyMs;
      try {
        await work();
      } catch (error) {
        onError(error);
        pauseMs = retryMs;
      }
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
