import { z } from 'zod';
import type { Figure } from './vector-section.ts';
import { sections } from './vector-sections.ts';

export interface Disagreement {
  readonly index: number;
  readonly given: unknown;
  readonly figures: readonly Figure[];
}

export interface SectionResult {
  readonly section: string;
  readonly cases: number;
  readonly agreed: number;
  readonly disagreements: readonly Disagreement[];
}

/** Multipliers and other doubles may differ by this much; published multipliers and money by nothing. */
const tolerance = 2e-6;

const VectorFile = z.record(z.string(), z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]));

/**
 * Runs every section of a file of worked values. A section that nobody knows how to run, or a case that cannot be read,
 * counts as a disagreement. Throws when the document is not an object of sections.
 */
export function runVectors(document: unknown): SectionResult[] {
  return Object.entries(VectorFile.parse(document)).map(([section, content]) => runSection(section, content));
}

/** Whether a run proves anything: at least one case, and all agree. */
export function allAgree(results: readonly SectionResult[]): boolean {
  const cases = results.reduce((sum, result) => sum + result.cases, 0);
  return cases > 0 && results.every((result) => result.cases > 0 && result.disagreements.length === 0);
}

function runSection(section: string, content: readonly unknown[] | Readonly<Record<string, unknown>>): SectionResult {
  const cases: readonly unknown[] = Array.isArray(content) ? content : [content];
  const disagreements: Disagreement[] = [];
  cases.forEach((given, index) => {
    const figures = figuresOf(section, given).filter(({ expected, got }) => !agrees(expected, got));
    if (figures.length > 0) disagreements.push({ index, given, figures });
  });
  return { section, cases: cases.length, agreed: cases.length - disagreements.length, disagreements };
}

function figuresOf(section: string, given: unknown): readonly Figure[] {
  const run = sections[section];
  if (run === undefined) return [{ name: 'section', expected: 'a known section', got: section }];
  try {
    return run(given);
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return [{ name: 'case', expected: 'a case that can be run', got: reason }];
  }
}

/** Figures that must match to the last digit come as whole numbers of minor units or hundredths, or as text. */
function agrees(expected: unknown, got: unknown): boolean {
  if (typeof expected !== 'number' || typeof got !== 'number') return expected === got;
  if (Number.isInteger(expected) && Number.isInteger(got)) return expected === got;
  return Math.abs(expected - got) <= tolerance;
}
