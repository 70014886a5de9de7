import type { Outcome } from './client.ts';

/** How events of one kind fared. */
export class Tally {
  accepted = 0;
  /** Refused by the API; `codes` says why. */
  refused = 0;
  /** Never answered until they were too old, or the demo ended. */
  givenUp = 0;
  readonly codes = new Map<string, number>();

  accept(): void {
    this.accepted += 1;
  }

  refuse(status: number, code: string, count = 1): void {
    const name = `${status} ${code}`;
    this.refused += count;
    this.codes.set(name, (this.codes.get(name) ?? 0) + count);
  }

  giveUp(count: number): void {
    this.givenUp += count;
  }

  note(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'answered':
        return this.accept();
      case 'refused':
        return this.refuse(outcome.status, outcome.code);
      case 'given-up':
        return this.giveUp(1);
      default:
        return outcome satisfies never;
    }
  }

  /** Events that have been settled one way or the other. */
  get settled(): number {
    return this.accepted + this.refused + this.givenUp;
  }
}
