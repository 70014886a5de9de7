import type { BoardCounts, Decision, Factor } from '../domain/decision.ts';
import type { Role } from '../platform/tokens.ts';

/** Fewer people than this could be found out as persons; riders and drivers do not see such a count. */
const leastShown = 3;

/** Who sees counts only where they hide everybody; the others run the service and see all of them. */
function isPublic(role: Role): boolean {
  return role === 'rider' || role === 'driver';
}

/** The count as `role` may see it; null where it is hidden. */
export function shownCount(count: number, role: Role): number | null {
  const rounded = Math.floor(count + 0.5);
  return rounded < leastShown && isPublic(role) ? null : rounded;
}

type Figures = Pick<Decision, 'supply' | 'demand' | 'smoothedSupply' | 'smoothedDemand' | 'neighbours' | 'algorithm'>;

/** What is known of a zone besides its last decision, which may be older. */
export type Counted = Pick<BoardCounts, 'supply' | 'demand'>;

/** The steps of a price as `role` may see them: the same chain, without figures that would tell a hidden count. */
export function shownFactors(
  factors: readonly Factor[],
  decision: Figures | null | undefined,
  counted: Counted | undefined,
  role: Role,
): readonly Factor[] {
  if (!isPublic(role) || mayShowFigures(decision, counted)) return factors;
  const detail = `${decision?.algorithm ?? 'the curve'}: demand over supply`;
  return factors.map((factor) => (factor.rule === 'algorithm' ? { ...factor, detail } : factor));
}

/** Smoothed figures also speak of the neighbours, whose counts can be told by taking the zone's own away. */
function mayShowFigures(decision: Figures | null | undefined, counted: Counted | undefined): boolean {
  if (decision === null || decision === undefined || decision.neighbours > 0) return false;
  const { supply, demand, smoothedSupply, smoothedDemand } = decision;
  const figures = [supply, demand, smoothedSupply, smoothedDemand, counted?.supply, counted?.demand];
  return figures.every((figure) => figure === undefined || figure >= leastShown);
}
