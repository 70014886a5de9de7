import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Keys } from './keys.ts';

export const roles = ['rider', 'driver', 'service', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export const tokenIssuer = 'equilibrium';
export const tokenAudience = 'equilibrium-api';

export interface TokenClaims {
  readonly role: Role;
  /** The user for riders, the driver id for drivers, any name for the others. */
  readonly subject: string;
}

/** An access token for `hours` (default 24). */
export async function mintToken(keys: Keys, claims: TokenClaims & { readonly hours?: number }): Promise<string> {
  const key = await importJWK(keys.signing, 'ES256');
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ role: claims.role })
    .setProtectedHeader({ alg: 'ES256', kid: keys.signing.kid })
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setSubject(claims.subject)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + Math.round((claims.hours ?? 24) * 3600))
    .sign(key);
}

/** The rule for ids of riders and drivers; what is stored and compared under a token's name must keep it too. */
const subject = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);

const Payload = z.object({ sub: subject, role: z.enum(roles), exp: z.number() });

export interface VerifiedToken extends TokenClaims {
  readonly expiresAtMs: number;
}

/** The returned function rejects for anything but a valid token of ours: signature, issuer, audience, expiry, role, subject. */
export function createTokenVerifier(keys: Pick<Keys, 'verification'>): (token: string) => Promise<VerifiedToken> {
  const keySet = createLocalJWKSet({ keys: [...keys.verification] });
  return async (token) => {
    const { payload } = await jwtVerify(token, keySet, {
      issuer: tokenIssuer,
      audience: tokenAudience,
      algorithms: ['ES256', 'EdDSA'],
      requiredClaims: ['exp', 'sub'],
    });
    const { sub, role, exp } = Payload.parse(payload);
    return { subject: sub, role, expiresAtMs: exp * 1000 };
  };
}
