import { createServer } from 'node:net';

const taken = new Set<number>();

/** The first free port at or after `wanted` on loopback, never handed out twice by this process; 0 takes any free one. */
export async function freePort(wanted: number, host = '127.0.0.1'): Promise<number> {
  if (wanted === 0) {
    for (;;) {
      const port = await probe(0, host);
      if (port !== undefined && claim(port)) return port;
    }
  }
  for (let port = wanted; port < Math.min(wanted + 200, 65_536); port += 1) {
    if (!taken.has(port) && (await probe(port, host)) !== undefined && claim(port)) return port;
  }
  throw new Error(`no free port between ${wanted} and ${wanted + 199}`);
}

/** Takes the wanted port or the next free one, and says so when it is another. */
export async function stepAround(name: string, wanted: number, say: (line: string) => void): Promise<number> {
  const port = await freePort(wanted);
  if (wanted !== 0 && port !== wanted) say(`Port ${wanted} is in use, ${name} takes ${port}.`);
  return port;
}

function claim(port: number): boolean {
  if (taken.has(port)) return false;
  taken.add(port);
  return true;
}

/** For tests and for a service that was stopped for good. */
export function releasePort(port: number): void {
  taken.delete(port);
}

async function probe(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}
