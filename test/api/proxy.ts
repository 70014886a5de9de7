import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a service that can be cut and mended, without touching the service that others use. */
export interface Proxy extends AsyncDisposable {
  /** The service's address, through the proxy. */
  readonly url: string;
  /** Breaks every connection; new ones break at once. */
  cut(): void;
  mend(): void;
  /** Nothing passes any more through the connections of now, and neither side is told; new ones work. */
  freeze(): void;
}

export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let broken = false;
  const server = createServer((socket) => {
    if (broken) {
      socket.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const end of [socket, far]) {
      open.add(end);
      end.setNoDelay(true);
      end.on('error', () => end.destroy());
      end.on('close', () => {
        open.delete(end);
        (end === socket ? far : socket).destroy();
      });
    }
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const destroyAll = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: url.toString(),
    cut() {
      broken = true;
      destroyAll();
    },
    mend() {
      broken = false;
    },
    freeze() {
      for (const socket of open) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      destroyAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
