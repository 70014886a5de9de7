import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** What a line says was answered; `fix` and `ride_request` are what `equilibrium demo` calls its events. */
const Line = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['location', 'fix']), event_id: z.string().min(1) }),
  z.object({ kind: z.enum(['demand', 'ride_request']), event_id: z.string().min(1) }),
  z.object({
    kind: z.literal('quote'),
    quote_id: z.uuid(),
    final_fare_minor: z.int(),
    multiplier: z.number(),
    price_version: z.int(),
  }),
]);

export type LedgerQuote = Extract<z.infer<typeof Line>, { kind: 'quote' }>;

/** What a load generator was answered with success. */
export interface Ledger {
  readonly events: Readonly<Record<'location' | 'demand', ReadonlySet<string>>>;
  readonly quotes: readonly LedgerQuote[];
}

/** NDJSON, one answer per line. Throws on a line that is none; only the last may be cut off, by a killed writer. */
export async function readLedger(file: string): Promise<Ledger> {
  const events = { location: new Set<string>(), demand: new Set<string>() };
  const quotes: LedgerQuote[] = [];
  let broken: string | undefined;
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (broken !== undefined) throw new Error(broken);
    if (text.trim() === '') continue;
    const line = Line.safeParse(jsonOf(text));
    if (!line.success) broken = `${file}, line ${number}, is not a line of a ledger: ${text.slice(0, 120)}`;
    else if (line.data.kind === 'quote') quotes.push(line.data);
    else if (line.data.kind === 'fix' || line.data.kind === 'location') events.location.add(line.data.event_id);
    else events.demand.add(line.data.event_id);
  }
  return { events, quotes };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
