import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ensureKeys, loadKeys } from '../../platform/keys.ts';
import { createTokenVerifier, mintToken } from '../../platform/tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'equilibrium-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('makes keys once, for their owner alone', async () => {
  const path = join(folder, 'once.json');
  const first = await ensureKeys(path, { embedded: true });
  const second = await ensureKeys(path, { embedded: true });
  expect(second).toEqual(first);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('refuses the keys of the embedded start in production, and a damaged file always', async () => {
  const path = join(folder, 'embedded.json');
  await ensureKeys(path, { embedded: true });
  expect(() => loadKeys(path, { production: true })).toThrow(
    /must not be used in production; set EQUILIBRIUM_AUTH_KEYS/,
  );
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 40));
  expect(() => loadKeys(path)).toThrow(/is damaged: it is not JSON/);
  writeFileSync(path, '{"signing":{}}');
  expect(() => loadKeys(path)).toThrow(/is damaged:\n/);
});

it('tells a missing file from one that may not be read', async () => {
  const path = join(folder, 'closed.json');
  expect(() => loadKeys(path)).toThrow(/is missing/);
  expect(() => loadKeys(folder)).toThrow(/cannot be read/);
  await ensureKeys(path, { embedded: false });
  chmodSync(folder, 0o711);
  // Root may read everything, so another user is asked to.
  const uid = process.getuid?.() ?? 0;
  const [own, other] = uid === 0 ? [0, 65_534] : [uid, uid];
  if (uid !== 0) chmodSync(path, 0o000);
  process.seteuid?.(other);
  try {
    expect(() => loadKeys(path)).toThrow(new RegExp(`may not be read by this user \\(${other}\\)`));
  } finally {
    process.seteuid?.(own);
  }
});

it('mints tokens that carry role and subject, and accepts only its own', async () => {
  const keys = await ensureKeys(join(folder, 'ours.json'), { embedded: false });
  const others = await ensureKeys(join(folder, 'others.json'), { embedded: false });
  const token = await mintToken(keys, { role: 'driver', subject: 'driver-9', hours: 1 });
  const verify = createTokenVerifier(keys);
  expect(await verify(token)).toMatchObject({ role: 'driver', subject: 'driver-9' });
  await expect(createTokenVerifier(others)(token)).rejects.toThrow();
  await expect(verify(await mintToken(keys, { role: 'driver', subject: 'driver-9', hours: -1 }))).rejects.toThrow(
    /exp/,
  );
});

it('never shows the private half of the signing key among those for verification', async () => {
  const keys = await ensureKeys(join(folder, 'public.json'), { embedded: false });
  expect(keys.verification.map((key) => 'd' in key)).toEqual([false]);
});
