import { createHash, createHmac } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { LRUCache } from 'lru-cache';
import type { Role, VerifiedToken } from '../platform/tokens.ts';
import { Problem } from './problem.ts';

/** Who asks, proven by a token. */
export interface Caller {
  readonly role: Role;
  /** The user of a rider, the driver id of a driver. */
  readonly subject: string;
}

export type VerifyToken = (token: string) => Promise<VerifiedToken>;

/** Roles that may use a route; `public` needs no token. */
export type Access = 'public' | readonly [Role, ...Role[]];

const mostCachedTokens = 50_000;
/** A longer header is nobody's token and not worth a hash. */
const longestToken = 4_096;

/** Checks a token once and remembers it by its hash until it expires. */
export class Authenticator {
  readonly #verify: VerifyToken;
  readonly #known = new LRUCache<string, { readonly caller: Caller; readonly expiresAtMs: number }>({
    max: mostCachedTokens,
  });

  constructor(verify: VerifyToken) {
    this.#verify = verify;
  }

  /** The caller at once when the token is known, else a promise of it; throws or rejects `unauthenticated`. */
  caller(header: string | undefined): Caller | Promise<Caller> {
    const token = bearerToken(header);
    if (token === undefined) throw new Problem('unauthenticated');
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(hash);
    if (known !== undefined && known.expiresAtMs > Date.now()) return known.caller;
    return this.#verified(token, hash);
  }

  async #verified(token: string, hash: string): Promise<Caller> {
    const verified = await this.#verify(token).catch((error: unknown) => {
      // Which check failed is nobody's business but ours.
      throw new Problem('unauthenticated', { cause: error });
    });
    const caller: Caller = { role: verified.role, subject: verified.subject };
    this.#known.set(hash, { caller, expiresAtMs: verified.expiresAtMs });
    return caller;
  }
}

function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header.length > longestToken) return undefined;
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header);
  return match?.[1];
}

/** Lets through whom `access` names, and nobody else. */
export function allow(authenticator: Authenticator, access: Exclude<Access, 'public'>): RequestHandler {
  const roles: ReadonlySet<Role> = new Set(access);
  return (req, res, next) => {
    const admit = (caller: Caller) => {
      if (!roles.has(caller.role)) throw new Problem('forbidden', { detail: `not for the role ${caller.role}` });
      res.locals['caller'] = caller;
      next();
    };
    const caller = authenticator.caller(req.headers.authorization);
    if (!(caller instanceof Promise)) return admit(caller);
    return caller.then(admit);
  };
}

/** The caller that `allow` let through. */
export function callerOf(res: Response): Caller {
  const caller: Caller | undefined = res.locals['caller'];
  if (caller === undefined) throw new Error('a protected handler ran without a caller');
  return caller;
}

/**
 * For whom a request is made: the rider who calls, or the one a service names. A service must name one, as its own name
 * may be a rider's too; anybody else naming one is refused.
 */
export function actingFor(caller: Caller, userId: string | undefined): string {
  if (caller.role === 'service') {
    if (userId !== undefined) return userId;
    throw new Problem('invalid-request', { errors: [{ path: 'user_id', message: 'a service names the rider' }] });
  }
  if (userId !== undefined) throw new Problem('forbidden', { detail: 'only a service may name a user_id' });
  return caller.subject;
}

/** Equal for equal riders, and no way back to the id without the secret. */
export function createRiderHash(secret: Buffer): (rider: string) => string {
  const known = new LRUCache<string, string>({ max: mostCachedTokens });
  return (rider) => {
    const cached = known.get(rider);
    if (cached !== undefined) return cached;
    const hash = createHmac('sha256', secret).update(rider).digest('base64url').slice(0, 22);
    known.set(rider, hash);
    return hash;
  };
}
