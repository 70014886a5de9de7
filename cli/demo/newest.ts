/** Keeps the newest of what it is given; a demo that plays for weeks must not fill the memory. */
export class Newest<T> {
  readonly #most: number;
  #items: T[] = [];
  #forgotten = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Oldest first, at most `most`. */
  get items(): readonly T[] {
    this.#forget(this.#most);
    return this.#items;
  }

  get forgotten(): number {
    this.#forget(this.#most);
    return this.#forgotten;
  }

  add(item: T): void {
    this.#items.push(item);
    // Seldom, as every cut moves all that stays.
    if (this.#items.length >= 1.25 * this.#most) this.#forget(this.#most);
  }

  #forget(most: number): void {
    const surplus = Math.max(0, this.#items.length - most);
    if (surplus > 0) this.#items.splice(0, surplus);
    this.#forgotten += surplus;
  }
}
