import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

/** What became of one call, after as many attempts as it took. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown; readonly sentAtMs: number }
  /** The API said no and would say so again; `code` is the one of the problem. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** It was never answered, and nothing is left to say. */
  | { readonly kind: 'given-up' };

export interface ClientOptions {
  readonly apiUrl: string;
  /** A bearer token that is valid now; asked again after a 401. */
  readonly token: (renew: boolean) => Promise<string>;
  /** Ends all calls and all waiting. */
  readonly stop: AbortSignal;
}

const attemptMs = 10_000;
const firstPauseMs = 200;
const longestPauseMs = 5_000;
const longestObeyedMs = 60_000;

/** Busy, away or asked to wait; every event keeps its id, so a second attempt counts nothing twice. */
const worthRetrying = new Set([429, 502, 503, 504]);

const Problem = z.object({ type: z.string() });

/** Talks to the API as any client would, over connections that are kept open. */
export class ApiClient {
  readonly #options: ClientOptions;
  #retries = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Attempts beyond the first of their call. */
  get retries(): number {
    return this.#retries;
  }

  /** `body` is asked before each attempt, as time makes events unfit to be sent; undefined gives up. */
  post(path: string, body: () => unknown): Promise<Outcome> {
    return this.#call('POST', path, body);
  }

  /** Gives up once `isOver`. */
  get(path: string, isOver: () => boolean): Promise<Outcome> {
    return this.#call('GET', path, () => (isOver() ? undefined : null));
  }

  async #call(method: string, path: string, body: () => unknown): Promise<Outcome> {
    const { stop } = this.#options;
    let renewed = false;
    for (let attempt = 0; !stop.aborted; attempt += 1) {
      const content = body();
      if (content === undefined) break;
      if (attempt > 0) this.#retries += 1;
      const answer = await this.#attempt(method, path, content, renewed);
      if (answer !== undefined && !worthRetrying.has(answer.status)) {
        if (answer.status < 300) return { kind: 'answered', ...answer };
        if (answer.status !== 401 || renewed) return { kind: 'refused', status: answer.status, code: codeOf(answer) };
        renewed = true;
      } else {
        await pause(Math.max(backoffMs(attempt), answer?.retryAfterMs ?? 0), undefined, { signal: stop }).catch(
          () => {},
        );
      }
    }
    return { kind: 'given-up' };
  }

  /** undefined when there was no answer at all. */
  async #attempt(method: string, path: string, content: unknown, renewToken: boolean): Promise<Answer | undefined> {
    const { apiUrl, token, stop } = this.#options;
    const bearer = await token(renewToken);
    const sentAtMs = Date.now();
    try {
      const response = await fetch(new URL(path, apiUrl), {
        method,
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: content === null ? null : JSON.stringify(content),
        signal: AbortSignal.any([stop, AbortSignal.timeout(attemptMs)]),
      });
      const { status, headers } = response;
      const text = await response.text();
      return { status, body: parsed(text), sentAtMs, retryAfterMs: retryAfterMs(headers.get('retry-after')) };
    } catch {
      return undefined;
    }
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly sentAtMs: number;
  readonly retryAfterMs: number;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf({ body }: Answer): string {
  const problem = Problem.safeParse(body);
  return problem.success ? (problem.data.type.split('/').at(-1) ?? '') : 'no-problem-document';
}

/** Longer each time, and spread, so that those who wait do not come back in step. */
function backoffMs(attempt: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** Seconds, or a date. */
export function retryAfterMs(header: string | null, nowMs = Date.now()): number {
  if (header === null || header.trim() === '') return 0;
  const seconds = Number(header);
  const waitMs = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1000;
  return Number.isNaN(waitMs) ? 0 : Math.min(longestObeyedMs, Math.max(0, waitMs));
}
