import type { PriceRow, SnapshotRow } from '../../db/checks.ts';
import { defaultPricingConfig } from '../../domain/config.ts';
import { toHundredths } from '../../domain/units.ts';
import type { Findings } from './findings.ts';

/** What a zone asks before its first published change. */
const first = toHundredths(defaultPricingConfig.minMultiplier);

/** P4, the log alone: versions 1, 2, 3 … each beginning where the one before ended. */
export function checkVersions(zone: string, rows: readonly PriceRow[], findings: Findings): void {
  let [version, multiplier] = [0, first];
  for (const row of rows) {
    const inOrder = row.version === version + 1;
    findings.expect(inOrder, 'P4', zone, () => `version ${version} is followed by ${row.version}`);
    if (inOrder && row.from !== multiplier) {
      const what = `version ${row.version} starts at ${row.from}, version ${version} ended at ${multiplier} hundredths`;
      findings.breach('P4', zone, what);
    }
    if (row.from === row.to) findings.breach('P4', zone, `version ${row.version} changes nothing`);
    [version, multiplier] = [row.version, row.to];
  }
}

/** P4: each snapshot shows the multiplier of the version it names, and versions never go back. */
export function checkSnapshots(
  zone: string,
  rows: readonly PriceRow[],
  snapshots: readonly SnapshotRow[],
  findings: Findings,
): void {
  const logged = new Map(rows.map(({ version, to }) => [version, to]));
  let newest = 0;
  for (const { atMs, version, multiplier } of snapshots) {
    const due = version === 0 ? first : logged.get(version);
    findings.expect(due === multiplier, 'P4', zone, () => {
      const log = due === undefined ? 'which the log does not have' : `which is ${due} in the log`;
      return `the snapshot of ${atMs} says ${multiplier} hundredths at version ${version}, ${log}`;
    });
    if (version < newest)
      findings.breach('P4', zone, `the snapshot of ${atMs} goes back from version ${newest} to ${version}`);
    newest = Math.max(newest, version);
  }
}
