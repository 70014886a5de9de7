// `npm run build [-- --force]`.
import { build } from './builder.mjs';

try {
  const built = await build({ force: process.argv.includes('--force') });
  console.log(built ? 'Built dist/.' : 'dist/ is up to date.');
} catch (error) {
  console.error(`Build failed: ${error.message}`);
  process.exitCode = 1;
}
