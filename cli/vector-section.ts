import { z } from 'zod';

/** One figure of a worked case: what the file says and what the code says. */
export interface Figure {
  readonly name: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** Answers every figure of a case that the code can be held against. Throws ZodError for a case of another shape. */
export type Section = (given: unknown) => readonly Figure[];

/** Reads a case by its schema, then compares the figures that `run` names. */
export function section<Case>(schema: z.ZodType<Case>, run: (given: Case) => readonly Figure[]): Section {
  return (given) => run(schema.parse(given));
}

export function figure(name: string, expected: unknown, got: unknown): Figure {
  return { name, expected, got };
}

export const n = z.number();
export const Counts = z.object({ supply: n, demand: n });
