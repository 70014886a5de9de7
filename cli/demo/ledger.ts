import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { UsageError } from '../context.ts';

/** One line of the ledger: what the API answered for and must be able to show from then on. */
export type LedgerLine =
  | { readonly kind: 'fix'; readonly event_id: string; readonly driver_id: string; readonly timestamp: string }
  | { readonly kind: 'ride_request'; readonly event_id: string; readonly timestamp: string }
  | {
      readonly kind: 'quote';
      readonly quote_id: string;
      readonly final_fare_minor: number;
      readonly multiplier: number;
      readonly price_version: number;
    };

/** NDJSON, one line per answer, written as they come: also what was answered before a kill can be checked. */
export class Ledger {
  readonly #file: WriteStream | undefined;

  private constructor(file: WriteStream | undefined) {
    this.#file = file;
  }

  /** Without a path nothing is written. An existing file is replaced. */
  static async open(path: string | undefined): Promise<Ledger> {
    if (path === undefined) return new Ledger(undefined);
    const file = createWriteStream(path);
    await new Promise<void>((resolve, reject) => {
      file.once('open', () => resolve());
      file.once('error', (error) => reject(new UsageError(`The ledger cannot be written: ${error.message}`)));
    });
    return new Ledger(file);
  }

  note(line: LedgerLine): void {
    this.#file?.write(`${JSON.stringify(line)}\n`);
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    this.#file.end();
    await finished(this.#file);
  }
}
