/** A pause that can be cut short. A nudge that comes while nobody waits cuts the next pause. */
export class Pacer {
  readonly #leastMs: number;
  #nudged = false;
  #wake: (() => void) | undefined;

  /** However often it is nudged, a pause lasts at least `leastMs`. */
  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  async pause(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.min(ms, this.#leastMs)));
    if (!this.#nudged && ms > this.#leastMs) await this.#untilNudged(ms - this.#leastMs);
    this.#nudged = false;
  }

  async #untilNudged(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
