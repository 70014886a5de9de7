import type { City } from './simulation.ts';
import type { PriceWatch } from './price-watch.ts';
import type { Sender } from './sender.ts';

export interface StatusSources {
  readonly city: City;
  readonly sender: Sender;
  readonly watch: PriceWatch;
}

/** Where the line goes: a terminal, or what a program collects. */
export type StatusStream = Pick<NodeJS.WriteStream, 'isTTY'> & { write(text: string): unknown };

const surgingFrom = 120;
const terminalEveryMs = 500;
const logEveryMs = 15_000;

/** One line that is redrawn on a terminal; a line now and then elsewhere. */
export class StatusLine {
  readonly #stream: StatusStream;
  #lastMs = 0;
  #drawn = false;

  constructor(stream: StatusStream) {
    this.#stream = stream;
  }

  show(sources: StatusSources, nowMs = Date.now()): void {
    const terminal = this.#stream.isTTY;
    if (nowMs - this.#lastMs < (terminal ? terminalEveryMs : logEveryMs)) return;
    this.#lastMs = nowMs;
    this.#write(statusText(sources));
  }

  say(text: string): void {
    this.#write(text);
  }

  /** Leaves the line as it is and goes on below it. */
  end(): void {
    if (this.#drawn) this.#stream.write('\n');
    this.#drawn = false;
  }

  #write(text: string): void {
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
    this.#drawn = this.#stream.isTTY;
  }
}

export function statusText({ city, sender, watch }: StatusSources): string {
  const prices = [...watch.prices.values()];
  const surging = prices.filter((price) => price >= surgingFrom).length;
  const highest = (Math.max(100, ...prices) / 100).toFixed(2);
  const refused = sender.fixes.refused + sender.requests.refused + sender.estimates.refused;
  return [
    `${city.requests} ride requests`,
    `${sender.fixes.accepted} fixes`,
    `${sender.estimates.accepted} quotes`,
    `${prices.length} zones priced, ${surging} surging (highest ${highest})`,
    `${sender.unsettled} on their way`,
    ...(refused > 0 ? [`${refused} refused`] : []),
  ].join(' · ');
}
