import { setTimeout as sleep } from 'node:timers/promises';

/** Looks every `everyMs` until the answer is true; fails after `mostMs`, so that no bench runs for ever. */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  { mostMs = 60_000, everyMs = 50 }: { readonly mostMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const end = performance.now() + mostMs;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${mostMs / 1000} s`);
    await sleep(everyMs);
  }
}

/** Runs `step` about every `everyMs` for `forMs`, catching up when it falls behind; `due` is how many steps are due at once. */
export async function paced(
  forMs: number,
  everyMs: number,
  step: (due: number) => void | Promise<void>,
): Promise<void> {
  const began = performance.now();
  for (let done = 0; ; ) {
    const elapsed = performance.now() - began;
    const due = Math.floor(Math.min(elapsed, forMs) / everyMs) - done;
    if (due > 0) await step(due);
    done += due;
    if (elapsed >= forMs) return;
    await sleep(Math.max(1, (done + 1) * everyMs - (performance.now() - began)));
  }
}
