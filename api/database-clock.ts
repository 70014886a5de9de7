import type { Pool } from 'pg';
import { databaseNow } from '../db/quotes.ts';

export interface DatabaseClockOptions {
  readonly pool: Pool;
  /** Told after each sample that the database answered, which is a proof of its health. */
  readonly onAnswer?: () => void;
  /** Between samples; 30 s. */
  readonly sampleMs?: number;
  /** Between attempts while the database is away; 5 s. */
  readonly retryMs?: number;
}

const sampleTimeoutMs = 3_000;

/** One clock decides the validity of quotes, the database's. Its offset is sampled, so it can be told while it is away. */
export class DatabaseClock {
  readonly #options: DatabaseClockOptions;
  #offsetMs = 0;
  #answering = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: DatabaseClockOptions) {
    this.#options = options;
  }

  /** ms since 1970 by the database's clock, as far as it was ever sampled; else by ours. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Whether the last sample succeeded. */
  get answering(): boolean {
    return this.#answering;
  }

  /** Samples now and from then on. Resolves after the first attempt, also when it failed. */
  async start(): Promise<void> {
    await this.#sample();
    this.#again();
  }

  /** Somebody saw the database fail: look again soon, and do not believe the last sample until then. */
  suspect(): void {
    if (!this.#answering) return;
    this.#answering = false;
    this.#again();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #again(): void {
    if (this.#stopped) return;
    const { sampleMs = 30_000, retryMs = 5_000 } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.start(), this.#answering ? sampleMs : retryMs).unref();
  }

  async #sample(): Promise<void> {
    const before = Date.now();
    try {
      const now = await withTimeout(databaseNow(this.#options.pool));
      const after = Date.now();
      // The answer was true about half way between question and answer.
      this.#offsetMs = Math.round(now - (before + after) / 2);
      this.#answering = true;
      this.#options.onAnswer?.();
    } catch {
      this.#answering = false;
    }
  }
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the database did not answer in time')), sampleTimeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
