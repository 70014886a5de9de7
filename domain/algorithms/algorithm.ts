/** What a curve may look at. `ratio` is demand / supply after smoothing; multipliers and factors are plain ratios. */
export interface CurveInput {
  readonly ratio: number;
  readonly linearFactor: number;
  readonly exponentialFactor: number;
  /** Learned from completion rates; 1 at the start (see `domain/adaptive.ts`). */
  readonly adaptiveFactor: number;
  /** What a trained model asks for, null where none is loaded. */
  readonly modelMultiplier: number | null;
}

/** A way from a ratio to a multiplier. */
export interface Algorithm {
  /** How far the curve is trusted on fresh data, 0–1. */
  readonly confidence: number;
  /** undefined when the curve cannot answer (no model loaded); the caller then falls back to `linear`. */
  readonly multiplier: (input: CurveInput) => number | undefined;
}
