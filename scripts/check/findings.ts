/** What the checker looks at; P numbers are those of docs/design.md. */
export const subjects = {
  quiet: 'everything that was accepted has been worked through',
  P1: 'an event answered 202 is in history or in the dead letters',
  P2: 'supply equals the distinct fresh available drivers',
  P3: 'a demand event counts once, a rider once per zone, class and bucket',
  P4: 'versions without gap or double; log, board and workflow agree',
  P5: 'caps, gradual limit and cooldown are kept',
  P6: 'quotes are kept as they were answered',
  P8: 'without a trusted feed no price rises',
} as const;

export type Subject = keyof typeof subjects;

export const subjectNames = Object.keys(subjects) as Subject[];

export interface Breach {
  readonly subject: Subject;
  /** `<zone>:<class>`, a driver, a stream, an event. */
  readonly where: string;
  readonly what: string;
}

/** Counts what was compared, and keeps what differs. */
export class Findings {
  readonly compared = new Map<Subject, number>();
  readonly breaches: Breach[] = [];

  count(subject: Subject, rows = 1): void {
    this.compared.set(subject, (this.compared.get(subject) ?? 0) + rows);
  }

  breach(subject: Subject, where: string, what: string): void {
    this.breaches.push({ subject, where, what });
  }

  /** Counts one comparison, and notes what differs when it does not hold. */
  expect(holds: boolean, subject: Subject, where: string, what: () => string): void {
    this.count(subject);
    if (!holds) this.breach(subject, where, what());
  }

  add(other: Findings): void {
    for (const [subject, rows] of other.compared) this.count(subject, rows);
    this.breaches.push(...other.breaches);
  }
}

export interface Floors {
  /** Rows that must have been compared in all: a check of nothing proves nothing. */
  readonly total: number;
  readonly each: number;
  /** Subjects that `each` holds for. */
  readonly required: readonly Subject[];
}

export interface Report {
  readonly passed: boolean;
  readonly total: number;
  readonly compared: Readonly<Record<string, number>>;
  readonly belowFloor: readonly string[];
  readonly breaches: readonly Breach[];
}

export function reportOf(findings: Findings, floors: Floors): Report {
  const total = [...findings.compared.values()].reduce((sum, rows) => sum + rows, 0);
  const belowFloor: string[] = [];
  if (total < floors.total) belowFloor.push(`only ${total} rows were compared, ${floors.total} are required`);
  for (const subject of floors.required) {
    const rows = findings.compared.get(subject) ?? 0;
    if (rows < floors.each) belowFloor.push(`${subject}: only ${rows} rows were compared, ${floors.each} are required`);
  }
  return {
    passed: findings.breaches.length === 0 && belowFloor.length === 0,
    total,
    compared: Object.fromEntries(findings.compared),
    belowFloor,
    breaches: findings.breaches,
  };
}

const shownBreaches = 20;

export function renderReport({ passed, total, compared, belowFloor, breaches }: Report): string {
  const lines = subjectNames.flatMap((subject) => {
    const found = breaches.filter((breach) => breach.subject === subject);
    const rows = compared[subject];
    if (rows === undefined && found.length === 0) return [];
    const verdict = found.length === 0 ? 'ok' : `${found.length} BREACHED`;
    const shown = found.slice(0, shownBreaches).map(({ where, what }) => `      ${where}: ${what}`);
    const more = found.length > shownBreaches ? [`      … and ${found.length - shownBreaches} more`] : [];
    const count = (rows ?? 0).toLocaleString('en').padStart(11);
    return [`${subject.padEnd(5)} ${count} compared  ${verdict.padEnd(12)} ${subjects[subject]}`, ...shown, ...more];
  });
  const end = passed ? 'Passed' : 'FAILED';
  return [...lines, ...belowFloor, `${end}: ${total.toLocaleString('en')} rows compared.`].join('\n');
}
