import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { problems } from '../../api/problem.ts';
import { errorsDocument, errorsMarkdown } from '../../scripts/errors-doc.ts';

it('docs/errors.md says what the table of problems says', () => {
  expect(readFileSync(errorsDocument, 'utf8')).toBe(errorsMarkdown());
  for (const code of Object.keys(problems)) expect(errorsMarkdown()).toContain(`\`${code}\``);
});
