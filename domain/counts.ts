/** Supply and demand of a zone × class, after decay; not whole numbers. */
export interface Counts {
  readonly supply: number;
  readonly demand: number;
}

/** A count below this is nothing at all. */
export const negligible = 0.05;

/** How a count is shown: whole, half up. */
export function shownCount(count: number): number {
  return Math.floor(count + 0.5);
}
