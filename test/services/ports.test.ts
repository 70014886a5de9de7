import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { freePort, releasePort, stepAround } from '../../services/ports.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

it('steps around a port in use and says so', async () => {
  const wanted = await freePort(0);
  releasePort(wanted);
  await occupy(wanted);
  const said: string[] = [];
  const port = await stepAround('Redis', wanted, (line) => said.push(line));
  expect(port).toBeGreaterThan(wanted);
  expect(said).toEqual([`Port ${wanted} is in use, Redis takes ${port}.`]);
});

it('takes the wanted port without a word when it is free', async () => {
  const wanted = await freePort(0);
  releasePort(wanted);
  const said: string[] = [];
  expect(await stepAround('Redis', wanted, (line) => said.push(line))).toBe(wanted);
  expect(said).toEqual([]);
});

it('hands no port out twice, although nobody listens on it yet', async () => {
  const first = await freePort(0);
  expect(await freePort(first)).not.toBe(first);
});
