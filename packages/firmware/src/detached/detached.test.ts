import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { DetachedSignatureSchema } from '../release.ts';
import { rawSignature } from './ecdsa-forms.ts';
import { sha256File, signDetached, verifyDetached } from './index.ts';
import { testSigner } from './signer.testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-detached-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

// Debian's own Python, for which its package python3-ecdsa is installed.
const PYTHON = process.env['HOLDFAST_PYTHON'] ?? '/usr/bin/python3';
const ARTIFACT = randomBytes(10_000);
const P256 = testSigner('ecdsa-p256');
const ED25519 = testSigner('ed25519');
writeFileSync(at('artifact'), ARTIFACT);
const FLIPPED = Buffer.from(ARTIFACT);
FLIPPED[5_000] = (FLIPPED[5_000] ?? 0) ^ 1;
writeFileSync(at('flipped'), FLIPPED);

async function signedFiles(): Promise<void> {
  const signatures = await signDetached(ARTIFACT, [P256, ED25519]);
  assert.ok(!(signatures instanceof Refusal));
  for (const { algorithm, signature } of signatures) {
    writeFileSync(at(`${algorithm}.sig`), Buffer.from(signature, 'base64'));
  }
  for (const [name, { publicKey }] of Object.entries({ P256, ED25519 })) {
    writeFileSync(at(`${name}.pem`), publicKey.export({ format: 'pem', type: 'spki' }));
  }
}

/** The exit code of a program in the folder. */
function exitOf(program: string, ...args: string[]): number | null {
  return spawnSync(program, args, { cwd: folder, stdio: 'ignore' }).status;
}

test('each key signs, and its signature holds for it and this artifact alone', async () => {
  const signatures = await signDetached(ARTIFACT, [P256, ED25519]);
  assert.ok(!(signatures instanceof Refusal));
  assert.deepEqual(
    signatures.map(({ algorithm }) => algorithm),
    ['ecdsa-p256-sha256', 'ed25519'],
  );
  for (const [index, { publicKey }] of [P256, ED25519].entries()) {
    const signed = DetachedSignatureSchema.parse(signatures[index]);
    const signature = Buffer.from(signed.signature, 'base64');
    assert.equal(verifyDetached({ artifact: ARTIFACT, signature, publicKey }), undefined);
    for (const other of [
      { artifact: FLIPPED, signature, publicKey },
      { artifact: ARTIFACT, signature, publicKey: testSigner('ed25519').publicKey },
      { artifact: ARTIFACT, signature, publicKey: testSigner('ecdsa-p256').publicKey },
      { artifact: ARTIFACT, signature: Buffer.concat([signature, Buffer.alloc(1)]), publicKey },
      { artifact: ARTIFACT, signature: Buffer.alloc(73), publicKey },
    ]) {
      assert.equal(verifyDetached(other)?.code, 'E_UPDATE_DETACHED');
    }
  }
});

test('openssl accepts both, and refuses a flipped byte', async () => {
  await signedFiles();
  const ecdsa = ['dgst', '-sha256', '-verify', 'P256.pem', '-signature', 'ecdsa-p256-sha256.sig'];
  assert.equal(exitOf('openssl', ...ecdsa, 'artifact'), 0);
  assert.notEqual(exitOf('openssl', ...ecdsa, 'flipped'), 0);
  const ed25519 = ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', 'ED25519.pem'];
  assert.equal(exitOf('openssl', ...ed25519, '-sigfile', 'ed25519.sig', '-in', 'artifact'), 0);
  assert.notEqual(exitOf('openssl', ...ed25519, '-sigfile', 'ed25519.sig', '-in', 'flipped'), 0);
});

test("Python's ecdsa accepts it by digest and by message, and refuses a flipped byte", async () => {
  await signedFiles();
  const check = join(import.meta.dirname, 'python_check.py');
  const args = [check, 'P256.pem', 'ecdsa-p256-sha256.sig'];
  assert.equal(exitOf(PYTHON, ...args, 'artifact'), 0);
  assert.notEqual(exitOf(PYTHON, ...args, 'flipped'), 0);
});

test('sha256sum --check reads the .sha256 file', () => {
  const sha256 = createHash('sha256').update(ARTIFACT).digest('hex');
  for (const name of ['artifact', 'a b', 'back\\slash', 'line\nbreak']) {
    writeFileSync(at(name), ARTIFACT);
    writeFileSync(at('sums'), sha256File(sha256, name));
    execFileSync('sha256sum', ['--check', '--strict', 'sums'], { cwd: folder, stdio: 'ignore' });
  }
});

test('a key of another kind is no release key', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const check = { artifact: ARTIFACT, signature: Buffer.alloc(64), publicKey };
  assert.throws(() => verifyDetached(check), TypeError);
});

test('the raw form of each signature is the one of IEEE P1363', () => {
  for (let count = 0; count < 64; count += 1) {
    const message = randomBytes(8);
    const raw = rawSignature(sign('sha256', message, P256.privateKey));
    assert.ok(raw !== undefined);
    const key = { key: P256.publicKey, dsaEncoding: 'ieee-p1363' as const };
    assert.ok(verify('sha256', message, key, raw));
  }
  const small = Buffer.from('3006020101020102', 'hex');
  assert.equal(
    Buffer.from(rawSignature(small) ?? [])
      .toString('hex')
      .replace(/0+/gu, '-'),
    '-1-2',
  );
});

test('what is no signature in DER has no raw form', () => {
  for (const hex of ['', '30', '3006020101', '300602010102010200', '3006020181020101']) {
    assert.equal(rawSignature(Buffer.from(hex, 'hex')), undefined, hex);
  }
  assert.equal(rawSignature(Buffer.from('300702020001020101', 'hex')), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.ok([undefined, 64].includes(rawSignature(bytes)?.length));
    }),
  );
});
