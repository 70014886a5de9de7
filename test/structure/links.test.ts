import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../platform/paths.ts';

const top = projectRoot();
const documents = [
  'README.md',
  ...readdirSync(join(top, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** Targets of links and pictures, without those that leave the project; examples in code are no links. */
function relativeLinks(text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(\s*<?([^)>\s]+)/g), ...prose.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  return targets.map(([, target = '']) => target).filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** As headings are turned into anchors on the usual sites. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+\s+(.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function isBroken(document: string, link: string): boolean {
  const [place = '', anchor] = link.split('#');
  const target = place === '' ? join(top, document) : join(top, dirname(document), decodeURIComponent(place));
  if (!existsSync(target)) return true;
  if (anchor === undefined || statSync(target).isDirectory()) return false;
  return target.endsWith('.md') && !anchors(readFileSync(target, 'utf8')).includes(anchor);
}

it('every relative link of the documents leads somewhere', () => {
  const links = documents.flatMap((document) =>
    relativeLinks(readFileSync(join(top, document), 'utf8')).map((link) => ({ document, link })),
  );
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter(({ document, link }) => isBroken(document, link))).toEqual([]);
});

it('a link to nothing is seen', () => {
  const text = 'see [a](absent.md), `[b](code.md)`, [c](https://example.org) and ![d](#nowhere)';
  expect(relativeLinks(text)).toEqual(['absent.md', '#nowhere']);
  expect(relativeLinks(text).filter((link) => isBroken('README.md', link))).toHaveLength(2);
});
