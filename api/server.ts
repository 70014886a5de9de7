import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem, type ProblemCode, problemBody, problems } from './problem.ts';
import { traceIdFrom } from './trace.ts';

export interface Listening {
  readonly port: number;
  readonly server: Server;
  /** Takes no more connections and resolves when the requests under way are answered, or after `mostMs`. */
  close(mostMs?: number): Promise<void>;
}

const headersWithinMs = 10_000;
const requestWithinMs = 30_000;

/** Port 0 takes a free one. Rejects when the port is taken. */
export async function listen(app: RequestListener, host: string, port: number): Promise<Listening> {
  const server = createServer({ headersTimeout: headersWithinMs, requestTimeout: requestWithinMs }, app);
  server.on('clientError', answerUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return { port: bound, server, close: (mostMs = 15_000) => drain(server, mostMs) };
}

async function drain(server: Server, mostMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A connection becomes idle when its last answer is out; nothing tells us, so we look.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const late = setTimeout(() => server.closeAllConnections(), mostMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

/** What is not HTTP never reaches the app, but gets a problem like any other refusal. */
function answerUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const code = unreadable(error.code);
  const body = JSON.stringify(problemBody(new Problem(code), traceIdFrom(undefined)));
  const { status } = problems[code];
  socket.end(
    `HTTP/1.1 ${status} ${status}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function unreadable(code: string | undefined): ProblemCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'malformed-request';
}
