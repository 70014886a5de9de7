/** A settled multiplier in whole hundredths: 1.25 is 125. */
export type Hundredths = number;

/** Doubles are cut to this grid where they leave a function, so that equal inputs compare equal everywhere. */
const grid = 1_000_000;

export function quantise(value: number): number {
  return Math.round(value * grid) / grid;
}

/** Half up on the decimal text of the quantised value: 1.005 becomes 101, whatever its binary form. */
export function toHundredths(multiplier: number): Hundredths {
  return Math.floor((Math.round(multiplier * grid) + 5_000) / 10_000);
}

/** Down to a whole hundredth: a cap of 1.239 allows 1.23. */
export function floorHundredths(multiplier: number): Hundredths {
  return Math.floor(Math.round(multiplier * grid) / 10_000);
}

export function fromHundredths(value: Hundredths): number {
  return value / 100;
}
