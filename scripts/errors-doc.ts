import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { problems } from '../api/problem.ts';
import { isEntry } from '../platform/entry.ts';
import { projectRoot } from '../platform/paths.ts';

export const errorsDocument = join(projectRoot(), 'docs', 'errors.md');

/** `docs/errors.md` as the table of problems says it must be. */
export function errorsMarkdown(): string {
  const rows = Object.entries(problems).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`);
  return [
    '# Errors',
    '',
    'Made from the table in `api/problem.ts` by `node dist/scripts/errors-doc.js` after a build; do not edit.',
    '',
    'Every refusal is `application/problem+json` (RFC 9457): `type` is `/problems/<code>`, `errors` names the fields that',
    'were wrong, and `trace_id` equals the header `Trace-Id` of the answer and the log line on our side. The codes are',
    'stable; titles and details are for people. A 503 says in `Retry-After` when it is worth asking again.',
    '',
    '| code | status | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (isEntry(import.meta.filename)) {
  writeFileSync(errorsDocument, errorsMarkdown());
}
