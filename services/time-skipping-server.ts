import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, findOnPath, isExecutable, runTool } from './executables.ts';
import type { Progress } from './progress.ts';

const version = '1.31.0';

export type TimeSkippingServer = { readonly path: string } | { readonly path?: undefined; readonly why: string };

/** Temporal's test server in Java: Maven brings its jars once, a two-line script makes it a program. */
export async function timeSkippingServer(env: NodeJS.ProcessEnv, progress: Progress): Promise<TimeSkippingServer> {
  const folder = join(cacheFolder(env), `temporal-test-server-${version}`);
  const program = join(folder, 'temporal-test-server');
  const [java, maven] = [findOnPath(env, 'java'), findOnPath(env, 'mvn')];
  if (java === undefined) return { why: 'Java is not installed (17 or newer is needed).' };
  if (isExecutable(program)) return { path: program };
  if (maven === undefined) return { why: 'Maven is not installed, which brings the server once.' };
  try {
    await progress.step('Fetching the time-skipping test server with Maven, once', () => fetchJars(maven, folder));
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
  const script = '#!/bin/sh\nexec java -cp "$(dirname "$0")/jars/*" io.temporal.testserver.TestServer "$@"\n';
  writeFileSync(program, script, { mode: 0o755 });
  return { path: program };
}

async function fetchJars(maven: string, folder: string): Promise<void> {
  const unfinished = join(folder, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, 'pom.xml'), pom);
  const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=jars'];
  await runTool(maven, goal, { cwd: unfinished });
  const jars = join(folder, 'jars');
  if (existsSync(jars)) rmSync(jars, { recursive: true });
  renameSync(join(unfinished, 'jars'), jars);
  rmSync(unfinished, { recursive: true });
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>equilibrium</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
`;
