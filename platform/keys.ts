import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import { ConfigError } from './config.ts';

const PrivateJwk = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string(),
});
const PublicJwk = z.looseObject({ kty: z.string(), kid: z.string() });
const secret = z.base64url().min(40);

const KeyFile = z.object({
  /** Made by the embedded start for itself; a production start refuses such a file. */
  embedded: z.boolean().default(false),
  signing: PrivateJwk,
  /** Public keys that are still accepted besides the signing one. */
  verification: z.array(PublicJwk).default([]),
  quoteSigning: z.object({ keyId: z.string().min(1), secret }),
  riderHash: z.object({ secret }),
});

export interface Keys {
  readonly embedded: boolean;
  /** ES256 private key of access tokens. */
  readonly signing: JWK & { kid: string };
  /** What tokens are verified against: the signing key's public half and older ones. */
  readonly verification: readonly (JWK & { kid: string })[];
  /** HMAC-SHA-256 over quotes. */
  readonly quoteSigning: { readonly keyId: string; readonly secret: Buffer };
  /** HMAC-SHA-256 over rider ids, before they are stored anywhere. */
  readonly riderHash: { readonly secret: Buffer };
}

/** Throws one sentence when the file is missing, closed to us, damaged, or not fit for production. */
export function loadKeys(path: string, options: { readonly production?: boolean } = {}): Keys {
  const parsed = KeyFile.safeParse(readJson(path));
  if (!parsed.success) throw new ConfigError(`The key file ${path} is damaged:\n${z.prettifyError(parsed.error)}`);
  const file = parsed.data;
  if (file.embedded && options.production === true) {
    throw new ConfigError(
      `${path} was made by the embedded start and must not be used in production; set EQUILIBRIUM_AUTH_KEYS.`,
    );
  }
  const { d: _private, ...signingPublic } = file.signing;
  return {
    embedded: file.embedded,
    signing: file.signing,
    verification: [signingPublic, ...file.verification],
    quoteSigning: { keyId: file.quoteSigning.keyId, secret: Buffer.from(file.quoteSigning.secret, 'base64url') },
    riderHash: { secret: Buffer.from(file.riderHash.secret, 'base64url') },
  };
}

/** New keys and secrets in a file that only its owner may read; an existing file is left as it is. */
export async function ensureKeys(path: string, options: { readonly embedded: boolean }): Promise<Keys> {
  if (!existsSync(path)) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const kid = (await calculateJwkThumbprint(jwk)).slice(0, 16);
    const file = {
      embedded: options.embedded,
      signing: { ...jwk, kid, alg: 'ES256', use: 'sig' },
      verification: [],
      quoteSigning: { keyId: `q${randomBytes(4).toString('hex')}`, secret: randomBytes(32).toString('base64url') },
      riderHash: { secret: randomBytes(32).toString('base64url') },
    };
    writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  }
  return loadKeys(path);
}

function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(`The key file ${path} is damaged: it is not JSON.`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new ConfigError(`The key file ${path} ${whyUnread(code, error)}`, { cause: error });
  }
}

function whyUnread(code: unknown, error: unknown): string {
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return 'is missing; `npm start` makes one, or set EQUILIBRIUM_AUTH_KEYS.';
  if (code === 'EACCES' || code === 'EPERM') {
    return `may not be read by this user (${process.geteuid?.() ?? 'unknown'}); make it that user's own, with mode 0600.`;
  }
  return `cannot be read (${error instanceof Error ? error.message : String(error)}).`;
}
