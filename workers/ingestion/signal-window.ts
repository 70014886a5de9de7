/** At or above this many active zones the calm window is the longer one. */
const manyZones = 300;
const shortMs = 2_000;
const longMs = 5_000;
const widestMs = 30_000;

/** What reaches the board may be this old before the window widens. */
const oldMs = 500;

/**
 * How often a zone may be signalled. Overload does not show in the signal calls, it piles up inside Temporal; so the
 * window follows the age of what reaches the board: it widens while prices come late and narrows again when they do not.
 */
export class SignalWindow {
  #calmMs = shortMs;
  #lengthMs = shortMs;
  #ages: number[] = [];

  get lengthMs(): number {
    return Math.max(this.#lengthMs, this.#calmMs);
  }

  zones(active: number): void {
    this.#calmMs = active >= manyZones ? longMs : shortMs;
  }

  /** ms from reading an observation to seeing the price it caused. */
  age(ms: number): void {
    this.#ages.push(ms);
  }

  /** Once per second or so: judges the ages seen since the last call by their 9th decile. */
  adjust(): void {
    const ages = this.#ages.toSorted((a, b) => a - b);
    this.#ages = [];
    const late = ages[Math.floor(ages.length * 0.9)];
    if (late === undefined) return;
    const factor = late > oldMs ? 1.5 : 0.8;
    this.#lengthMs = Math.min(widestMs, Math.max(this.#calmMs, this.lengthMs * factor));
  }
}
