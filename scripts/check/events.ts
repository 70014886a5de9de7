import { listDeadLetters } from '../../db/dead-letters.ts';
import { missingEvents } from '../../db/checks.ts';
import type { CheckDeps } from './deps.ts';
import { Findings } from './findings.ts';
import type { Ledger } from './ledger.ts';

const idsPerQuery = 50_000;

/** P1: every id of the ledger is in history, or a dead letter of one of the markets holds it. */
export async function checkEvents(markets: readonly CheckDeps[], { events }: Ledger): Promise<Findings> {
  const findings = new Findings();
  const [first] = markets;
  if (first === undefined) return findings;
  const buried = new Set<string>();
  for (const deps of markets) for (const id of await buriedIds(deps)) buried.add(id);
  for (const kind of ['location', 'demand'] as const) {
    const ids = [...events[kind]];
    for (let from = 0; from < ids.length; from += idsPerQuery) {
      const some = ids.slice(from, from + idsPerQuery);
      const missing = await missingEvents(first.pool, kind, some);
      findings.count('P1', some.length);
      for (const id of missing) {
        if (!buried.has(id)) findings.breach('P1', id, `${kind} event was answered 202 and is nowhere`);
      }
    }
  }
  return findings;
}

async function buriedIds({ redis, market }: CheckDeps): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await listDeadLetters(redis, market, { limit: 1000, ...(after === undefined ? {} : { after }) });
    ids.push(...page.flatMap(({ event }) => idOf(event)));
    after = page.at(-1)?.letterId;
    if (after === undefined) return ids;
  }
}

/** A dead letter may hold anything, also what is no JSON at all. */
function idOf(text: string): string[] {
  try {
    const event: unknown = JSON.parse(text);
    const id = typeof event === 'object' && event !== null && 'eventId' in event ? event.eventId : undefined;
    return typeof id === 'string' ? [id] : [];
  } catch {
    return [];
  }
}
