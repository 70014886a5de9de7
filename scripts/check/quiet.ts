import { changedCount, streamProgress } from '../../db/live-inventory.ts';
import { type CheckDeps, pause } from './deps.ts';
import { Findings } from './findings.ts';

export interface QuietOptions {
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
}

const lookEveryMs = 250;
const sayEveryMs = 5_000;

/** What still moves in a market, in words. Decisions that are not recorded yet stand in the decisions stream. */
async function moving({ redis, market }: CheckDeps): Promise<string[]> {
  const [progress, changed] = await Promise.all([streamProgress(redis, market), changedCount(redis, market)]);
  const busy = progress.flatMap(({ stream, group, pending, atEnd }) => {
    if (pending === 0 && atEnd) return [];
    return [`${stream}, group ${group}: ${pending} pending${atEnd ? '' : ', entries unread'}`];
  });
  return changed === 0 ? busy : [...busy, `${market}: ${changed} changed zones not signalled`];
}

/** Waits until a market has worked through everything; what still moves after the timeout is a breach. */
export async function waitUntilQuiet(deps: CheckDeps, { timeoutMs, say }: QuietOptions): Promise<Findings> {
  const findings = new Findings();
  const startedAt = Date.now();
  for (let saidAt = startedAt; ; await pause(lookEveryMs)) {
    const busy = await moving(deps);
    if (busy.length === 0) return findings;
    if (Date.now() - startedAt > timeoutMs) {
      for (const what of busy) findings.breach('quiet', deps.market, `still busy after ${timeoutMs} ms: ${what}`);
      return findings;
    }
    if (Date.now() - saidAt < sayEveryMs) continue;
    saidAt = Date.now();
    say(`waiting for quiet, ${Math.round((saidAt - startedAt) / 1000)} s: ${busy.join('; ')}`);
  }
}
