/** One import statement: who imports what, both as paths from the top (`domain/rate.ts`) or a package name. */
export interface Import {
  readonly from: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

interface Rule {
  /** Folders of ours, or single files of them. */
  readonly may: readonly string[];
  /** Folders of which only types may be named. */
  readonly mayTypes?: readonly string[];
  /** Package names; a pattern where a folder may use nearly everything. */
  readonly packages: RegExp;
}

const geoPackages = 'h3-js|@turf/|ngeohash|s2js';
const anyButGeo = new RegExp(`^(?!${geoPackages})`);
const edge = ['domain', 'geo', 'db', 'platform', 'workflows/ids.ts', 'workflows/zone-messages.ts'];

/** The table of the architecture. Folders that are not named here (services, scripts, bench, test) may import everything. */
export const rules: Readonly<Record<string, Rule>> = {
  domain: { may: [], packages: /^$/ },
  geo: { may: ['domain'], packages: new RegExp(`^(${geoPackages})`) },
  workflows: { may: ['domain'], mayTypes: ['activities'], packages: /^@temporalio\/workflow$/ },
  activities: { may: ['domain', 'geo', 'db'], packages: /^@temporalio\/activity$/ },
  db: { may: ['domain'], packages: /^(pg|ioredis|node-pg-migrate|node:.*)$/ },
  api: { may: edge, packages: anyButGeo },
  cli: { may: edge, packages: anyButGeo },
  workers: { may: [...edge, 'activities'], packages: anyButGeo },
  platform: { may: [], mayTypes: ['domain'], packages: anyButGeo },
};

/** zod belongs where bytes come in. */
const mayUseZod = ['api', 'cli', 'workers', 'platform', 'services', 'scripts', 'bench', 'test'];

/** Every import that the table forbids, in words. */
export function violations(imports: readonly Import[]): string[] {
  return imports.filter(isForbidden).map(({ from, target }) => `${from} must not import ${target}`);
}

/** Folders that import each other, directly or in a round, each as `a → b → a`. */
export function folderCycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { from, target } of imports) {
    const [source, destination] = [folderOf(from), folderOf(target)];
    if (!isOurs(target) || source === destination || source === 'test') continue;
    edges.set(source, (edges.get(source) ?? new Set()).add(destination));
  }
  const cycles: string[] = [];
  const walk = (folder: string, path: readonly string[]): void => {
    if (path[0] === folder && path.length > 0) {
      cycles.push([...path, folder].join(' → '));
    } else if (!path.includes(folder)) {
      for (const next of edges.get(folder) ?? []) walk(next, [...path, folder]);
    }
  };
  for (const folder of edges.keys()) walk(folder, []);
  return cycles;
}

/** All import, export … from and import() targets of a source text; relative ones resolved against the file. */
export function importsOf(file: string, text: string): Import[] {
  const statements = text.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\bfrom\s*)?['"]([^'"]+)['"]/gm);
  const dynamic = text.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]/g);
  return [
    ...[...statements].map(([, type, target = '']) => ({
      from: file,
      target: resolve(file, target),
      typeOnly: !!type,
    })),
    ...[...dynamic].map(([, target = '']) => ({ from: file, target: resolve(file, target), typeOnly: false })),
  ];
}

function isForbidden({ from, target, typeOnly }: Import): boolean {
  const folder = folderOf(from);
  if (target === 'zod' || target.startsWith('zod/')) return !mayUseZod.includes(folder);
  const rule = rules[folder];
  if (rule === undefined) return false;
  if (!isOurs(target)) return !rule.packages.test(target);
  if (folderOf(target) === folder) return false;
  const named = (allowed: readonly string[]) => allowed.some((name) => target === name || folderOf(target) === name);
  return !named(rule.may) && !(typeOnly && named(rule.mayTypes ?? []));
}

/** Targets of ours are written as paths from the top with an extension; packages are bare names. */
function isOurs(target: string): boolean {
  return /\.(ts|mjs|json|js)$/.test(target) && !/^(@|node:)/.test(target) && target.includes('/');
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function resolve(file: string, target: string): string {
  if (!target.startsWith('.')) return target;
  const parts = file.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
