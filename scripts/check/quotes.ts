import { type QuoteCheck, quoteRows, quotesById } from '../../db/checks.ts';
import { heldQuote } from '../../db/pending-quotes.ts';
import { priceTtlMs } from '../../domain/config.ts';
import { surged } from '../../domain/fare.ts';
import { toHundredths } from '../../domain/units.ts';
import type { CheckDeps } from './deps.ts';
import { Findings } from './findings.ts';
import type { Ledger, LedgerQuote } from './ledger.ts';

/** P6 as far as quotes go: the fare follows from base and multiplier, the multiplier from the version it names. */
export async function checkQuotes({ pool, market }: CheckDeps): Promise<Findings> {
  const findings = new Findings();
  for (const quote of await quoteRows(pool, market)) {
    const fare = surged(quote.baseFareMinor, quote.multiplier);
    findings.expect(quote.finalFareMinor === fare, 'P6', quote.quoteId, () => {
      return `fare ${quote.finalFareMinor}, but ${quote.baseFareMinor} at ${quote.multiplier} hundredths is ${fare}`;
    });
    if (isPlainPrice(quote) && quote.logged !== quote.multiplier) {
      const log = quote.logged === null ? 'which the log does not have' : `which is ${quote.logged} in the log`;
      findings.breach(
        'P6',
        quote.quoteId,
        `${quote.multiplier} hundredths by version ${quote.version} of ${quote.zone}, ${log}`,
      );
    }
  }
  return findings;
}

/** Beyond its validity a price drifts, so that a quote may lie under its version. */
function isPlainPrice({ version, asOfMs, issuedAtMs }: QuoteCheck): boolean {
  return version > 0 && asOfMs !== null && issuedAtMs - asOfMs <= priceTtlMs - clockDifferenceMs;
}

/** Age was judged by the clock of the API, the row carries that of the database. */
const clockDifferenceMs = 5_000;

/** P6: what callers were answered is what is kept. */
export async function checkLedgerQuotes(markets: readonly CheckDeps[], { quotes }: Ledger): Promise<Findings> {
  const findings = new Findings();
  const [first] = markets;
  if (first === undefined) return findings;
  const kept = await quotesById(
    first.pool,
    quotes.map(({ quote_id }) => quote_id),
  );
  const names = markets.map(({ market }) => market);
  for (const quote of quotes) {
    const row = kept.get(quote.quote_id) ?? (await heldQuote(first.redis, names, quote.quote_id));
    const difference = row === undefined ? 'was answered and is nowhere' : differenceOf(quote, row);
    findings.expect(difference === undefined, 'P6', quote.quote_id, () => difference ?? '');
  }
  return findings;
}

function differenceOf(
  answered: LedgerQuote,
  kept: { finalFareMinor: number; multiplier: number } & ({ version: number } | { priceVersion: number }),
): string | undefined {
  const given = [answered.final_fare_minor, toHundredths(answered.multiplier), answered.price_version];
  const held = [kept.finalFareMinor, kept.multiplier, 'version' in kept ? kept.version : kept.priceVersion];
  if (given.every((value, i) => value === held[i])) return undefined;
  return `answered (fare, hundredths, version) ${given.join(', ')}; kept ${held.join(', ')}`;
}
