import { readFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { parseServices, type TestServices } from './harness.ts';

declare module 'vitest' {
  interface ProvidedContext {
    services: TestServices;
  }
}

/** Addresses come from the file that `npm test` (scripts/test.mjs) writes after it has started private services. */
export function setup(project: TestProject): void {
  const file = process.env['EQUILIBRIUM_TEST_SERVICES'];
  if (file === undefined || file === '') {
    throw new Error('EQUILIBRIUM_TEST_SERVICES names no file: run `npm test`, which starts what the tests need.');
  }
  project.provide('services', parseServices(readFileSync(file, 'utf8')));
}
