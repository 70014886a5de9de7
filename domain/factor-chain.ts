import type { Factor } from './decision.ts';
import { quantise } from './units.ts';

/** A multiplier on its way through the rules; by construction each `after` is the next `before`. */
export class Chain {
  value: number;
  readonly factors: Factor[] = [];

  constructor(start: number) {
    this.value = quantise(start);
  }

  /** A rule that applies is listed even where it happens to leave the value as it was. */
  apply(rule: string, after: number, detail: string): void {
    const next = quantise(after);
    this.factors.push({ rule, before: this.value, after: next, detail });
    this.value = next;
  }

  applyIfChanged(rule: string, after: number, detail: string): void {
    if (quantise(after) !== this.value) this.apply(rule, after, detail);
  }
}
