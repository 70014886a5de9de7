import { countableDemand, receivedBefore } from '../../db/checks.ts';
import { type LiveInventory, readInventory } from '../../db/live-inventory.ts';
import type { CheckDeps } from './deps.ts';
import { Findings } from './findings.ts';

/** P3: the counters of the live state hold what the recorded events add up to, each rider once per bucket. */
export async function checkDemand({ redis, pool, market }: CheckDeps): Promise<Findings> {
  const live = await readInventory(redis, market);
  if (live.epoch === 0) return new Findings();
  let best = compare(live, await countableDemand(pool, market, live.epoch));
  if (best.breaches.length === 0) return best;
  // The first call of a Redis life names it, and may have found events in the stream that were received before. All zones
  // share that beginning, so the one is looked for with which most of them agree.
  for (const fromMs of await receivedBefore(pool, market, live.epoch)) {
    const tried = compare(live, await countableDemand(pool, market, fromMs));
    if (tried.breaches.length < best.breaches.length) best = tried;
  }
  return best;
}

function compare({ demand }: LiveInventory, recorded: ReadonlyMap<string, number>): Findings {
  const findings = new Findings();
  for (const zone of new Set([...demand.keys(), ...recorded.keys()])) {
    const [counted, due] = [demand.get(zone)?.totalTenths ?? 0, recorded.get(zone) ?? 0];
    findings.expect(
      counted === due,
      'P3',
      zone,
      () => `the counter says ${counted} tenths, the recorded events ${due}`,
    );
  }
  return findings;
}
