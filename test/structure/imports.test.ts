import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderCycles, importsOf, rules, violations } from './import-rules.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const folders = [...Object.keys(rules), 'services', 'scripts', 'bench'];
const files = folders.flatMap((folder) => sourcesBelow(folder));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(top, file), 'utf8')));

function sourcesBelow(folder: string): string[] {
  if (!existsSync(join(top, folder))) return [];
  return readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

describe('the folders', () => {
  it('import only what the architecture allows', () => {
    expect(files.length).toBeGreaterThan(60);
    expect(imports.length).toBeGreaterThan(2 * files.length);
    expect(violations(imports)).toEqual([]);
  });

  it('import each other in no round', () => {
    expect(folderCycles(imports)).toEqual([]);
  });

  it('import files that exist', () => {
    const missing = imports.filter(
      ({ target }) => /^[a-z]+\/.*\.(ts|mjs)$/.test(target) && !existsSync(join(top, target)),
    );
    expect(missing).toEqual([]);
  });

  it('leave the environment to the entries', () => {
    const entries = /^(api\/main|workers\/zones|workers\/[a-z]+\/main)\.ts$|^(services|scripts|bench)\//;
    const readers = files.filter(
      (file) => !entries.test(file) && /\bprocess\.env\b/.test(readFileSync(join(top, file), 'utf8')),
    );
    expect(readers).toEqual([]);
  });
});

describe('the rules', () => {
  it.each([
    ['domain/rate.ts', "import { Pool } from 'pg';"],
    ['domain/rate.ts', "import { readFileSync } from 'node:fs';"],
    ['domain/rate.ts', "import type { Place } from '../geo/zone-index.ts';"],
    ['domain/algorithms/linear.ts', "import { z } from 'zod';"],
    ['geo/cells.ts', "import { Pool } from 'pg';"],
    ['geo/cells.ts', "import { storeZones } from '../db/markets.ts';"],
    ['workflows/zone-pricing.ts', "import { createActivities } from '../activities/pricing.ts';"],
    ['workflows/zone-pricing.ts', "import type { Pool } from 'pg';"],
    ['workflows/zone-pricing.ts', "import { createHash } from 'node:crypto';"],
    ['workflows/zone-pricing.ts', "import { z } from 'zod';"],
    ['activities/pricing.ts', "import { zonePricing } from '../workflows/zone-pricing.ts';"],
    ['db/board.ts', "import { latLngToCell } from 'h3-js';"],
    ['db/board.ts', "import { loadConfig } from '../platform/config.ts';"],
    ['db/board.ts', "import * as z from 'zod/mini';"],
    ['api/app.ts', "import { area } from '@turf/turf';"],
    ['api/app.ts', "import { createActivities } from '../activities/pricing.ts';"],
    ['api/app.ts', "import { zonePricing } from '../workflows/zone-pricing.ts';"],
    ['api/app.ts', "const { sweep } = await import('../workers/ingestion/sweep.ts');"],
    ['cli/up.ts', "import { startAll } from '../services/up.ts';"],
    ['workers/zones.ts', "export { createApp } from '../api/app.ts';"],
    ['workers/recorder/main.ts', "import {\n  helper,\n  other,\n} from '../../test/harness.ts';"],
    ['platform/log.ts', "import { rate } from '../domain/rate.ts';"],
    ['platform/log.ts', "import '../db/lua.ts';"],
  ])('forbid in %s: %s', (file, text) => {
    expect(violations(importsOf(file, text))).toHaveLength(1);
  });

  it.each([
    ['domain/rate.ts', "import { linear } from './algorithms/linear.ts';"],
    ['workflows/zone-pricing.ts', "import type { PricingActivities } from '../activities/pricing.ts';"],
    ['api/app.ts', "import { zoneWorkflowId } from '../workflows/ids.ts';"],
    ['workers/zones.ts', "import { createPricingActivities } from '../activities/pricing.ts';"],
    ['test/db/markets.test.ts', "import { importNewYork } from '../../cli/zones.ts';"],
    ['platform/log.ts', "import type { Feed } from '../domain/observation.ts';"],
  ])('allow in %s: %s', (file, text) => {
    expect(importsOf(file, text)).toHaveLength(1);
    expect(violations(importsOf(file, text))).toEqual([]);
  });

  it('see a round of two folders and one of three', () => {
    const two = [
      ...importsOf('db/a.ts', "import { b } from '../geo/b.ts';"),
      ...importsOf('geo/b.ts', "import { a } from '../db/a.ts';"),
    ];
    expect(folderCycles(two)).toContain('db → geo → db');
    const three = [
      ...importsOf('db/a.ts', "import { b } from '../geo/b.ts';"),
      ...importsOf('geo/b.ts', "import { c } from '../api/c.ts';"),
      ...importsOf('api/c.ts', "import { a } from '../db/a.ts';"),
    ];
    expect(folderCycles(three)).toContain('db → geo → api → db');
    expect(folderCycles(three.slice(0, 2))).toEqual([]);
  });
});
