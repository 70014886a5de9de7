#!/usr/bin/env node
// The `equilibrium` command. Builds first when there is no build yet.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = new URL('../dist/', import.meta.url);

if (!existsSync(fileURLToPath(new URL('.source-hash', dist)))) {
  if (!existsSync(fileURLToPath(new URL('../node_modules/typescript', import.meta.url)))) {
    console.error('Equilibrium is not built yet: run `npm start`, or `npm ci && npm run build`.');
    process.exit(1);
  }
  const { build } = await import('../scripts/build.mjs');
  await build();
}
const { main } = await import(new URL('cli/main.js', dist).href);
const services = await import(new URL('services/main.js', dist).href);
process.exitCode = await main(process.argv.slice(2), process.env, services);
