export type Check = 'ok' | 'away' | 'loading';

export interface ProbeOptions {
  /** Between an answer and the next question; 15 s. */
  readonly everyMs?: number;
  /** A ping that takes longer is no answer; 5 s. */
  readonly timeoutMs?: number;
}

/** Asks a service now and then whether it is there, so that its last known state can be told without waiting. */
export class Probe {
  readonly #ping: (() => Promise<unknown>) | undefined;
  readonly #options: ProbeOptions;
  #state: Check;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Without a ping there is nothing to reach: `away`. */
  constructor(ping: (() => Promise<unknown>) | undefined, options: ProbeOptions = {}) {
    this.#ping = ping;
    this.#options = options;
    this.#state = ping === undefined ? 'away' : 'loading';
  }

  /** `loading` until the first answer, or until it is late. */
  get state(): Check {
    return this.#state;
  }

  /** Asks now and from then on. */
  start(): void {
    if (this.#ping !== undefined) void this.#ask(this.#ping);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #ask(ping: () => Promise<unknown>): Promise<void> {
    this.#state = (await answers(ping(), this.#options.timeoutMs ?? 5_000)) ? 'ok' : 'away';
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.start(), this.#options.everyMs ?? 15_000).unref();
  }
}

/** Whether `asked` resolves in time. Never rejects. */
function answers(asked: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), timeoutMs).unref();
    const settle = (good: boolean) => {
      clearTimeout(late);
      resolve(good);
    };
    asked.then(
      () => settle(true),
      () => settle(false),
    );
  });
}
