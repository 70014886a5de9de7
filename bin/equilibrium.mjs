#!/usr/bin/env node
// The `equilibrium` command. Where the sources are, what runs is what they say now: it builds when they have changed.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = new URL('../dist/', import.meta.url);
const isThere = (place) => existsSync(fileURLToPath(new URL(place, import.meta.url)));

if (isThere('../scripts/builder.mjs') && isThere('../node_modules/typescript')) {
  const [{ build }, { step }] = await Promise.all([import('../scripts/builder.mjs'), import('../scripts/setup.mjs')]);
  try {
    await step('Building', () => build());
  } catch (error) {
    console.error(`Build failed: ${error.message}`);
    process.exit(1);
  }
} else if (!isThere('../dist/.source-hash')) {
  console.error('Equilibrium is not built yet: run `npm start`, or `npm ci && npm run build`.');
  process.exit(1);
}
const { main } = await import(new URL('cli/main.js', dist).href);
const services = await import(new URL('services/main.js', dist).href);
process.exitCode = await main(process.argv.slice(2), process.env, services);
