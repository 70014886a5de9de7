import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isEntry } from '../../platform/entry.ts';

const folder = mkdtempSync(join(tmpdir(), 'equilibrium-entry-'));
afterAll(() => rmSync(folder, { recursive: true }));

const own = join(folder, 'own');
mkdirSync(own);
writeFileSync(join(own, 'tool.js'), '');
writeFileSync(join(own, 'other.js'), '');
symlinkSync(own, join(folder, 'linked'));
symlinkSync(join(own, 'tool.js'), join(folder, 'renamed'));

it.each([
  ['by its name', join(own, 'tool.js'), true],
  ['without the extension', join(own, 'tool'), true],
  ['through a linked folder', join(folder, 'linked', 'tool.js'), true],
  ['through a linked folder without the extension', join(folder, 'linked', 'tool'), true],
  ['through a link of another name', join(folder, 'renamed'), true],
  ['by another program', join(own, 'other.js'), false],
  ['by something that is no file', join(own, 'absent'), false],
  ['by nothing', undefined, false],
])('a module started %s', (_how, started, expected) => {
  expect(isEntry(join(own, 'tool.js'), started)).toBe(expected);
});
