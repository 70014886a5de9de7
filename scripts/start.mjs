// `npm start`: installs when needed, builds when needed, then `equilibrium up --demo`. Needs nothing but Node itself.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, step } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

try {
  await ensureInstalled(root);
  const { build } = await import('./builder.mjs');
  await step('Building', () => build());
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.argv.splice(2, 0, 'up', '--demo');
await import('../bin/equilibrium.mjs');
