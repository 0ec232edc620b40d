import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { SEAL_OVERHEAD_BYTES, open, seal } from './aead.ts';
import { deriveKey } from './derive.ts';
import { generatePrivateKey, softwareKeyHandle } from './key-handle.ts';
import { loadUnsealKey } from './unseal-key.ts';

const key = systemRandom(32);
const aad = Buffer.from('context');

test('what is sealed opens in its context', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 40 }),
      (text, context) => {
        const sealed = seal(text, { key, aad: context, random: systemRandom });
        assert.equal(sealed.length, text.length + SEAL_OVERHEAD_BYTES);
        assert.deepEqual(new Uint8Array(open(sealed, { key, aad: context })), text);
      },
    ),
  );
});

test('sealing the same text twice gives different bytes', () => {
  const text = Buffer.from('same');
  const once = seal(text, { key, aad, random: systemRandom });
  assert.notDeepEqual(once, seal(text, { key, aad, random: systemRandom }));
});

test('a changed bit, another key, another context or a cut does not open [E_CRYPTO_OPEN]', () => {
  const sealed = seal(Buffer.from('reading'), { key, aad, random: systemRandom });
  const fails = (bytes: Uint8Array, context = { key, aad }): void => {
    assert.throws(
      () => open(bytes, context),
      (error) => error instanceof Fault && error.code === 'E_CRYPTO_OPEN',
    );
  };
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    fails(changed);
  }
  for (let length = 0; length < sealed.length; length += 1) fails(sealed.subarray(0, length));
  fails(sealed, { key: systemRandom(32), aad });
  fails(sealed, { key, aad: Buffer.from('Context') });
});

test('derivation matches RFC 5869 with empty salt (test case 3)', () => {
  const root = new Secret(Buffer.alloc(22, 0x0b));
  assert.equal(
    Buffer.from(deriveKey(root, '').expose()).toString('hex'),
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
  );
  assert.notDeepEqual(deriveKey(root, 'a').expose(), deriveKey(root, 'b').expose());
});

test('a key handle signs with its own algorithm', () => {
  const data = Buffer.from('data');
  const ec = softwareKeyHandle('ES256', generatePrivateKey('ES256'));
  assert.ok(verify('sha256', data, ec.publicKey, ec.sign(data)));
  const ed = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
  assert.ok(verify(null, data, ed.publicKey, ed.sign(data)));
  assert.equal(ed.sign(data).length, 64);
});

function temporaryPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crypto-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'unseal.key');
}

test('the unseal key is made once, private, and found again', (t) => {
  const path = temporaryPath(t);
  const made = loadUnsealKey(path, { isNew: true, random: systemRandom });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const found = loadUnsealKey(path, { isNew: false, random: systemRandom });
  assert.deepEqual(found.expose(), made.expose());
  assert.equal(made.expose().length, 32);
});

const BAD_KEY_FILES: [code: string, prepare: (path: string) => void][] = [
  ['E_CRYPTO_UNSEAL_MISSING', () => {}],
  ['E_CRYPTO_UNSEAL_FORM', (path) => writeFileSync(path, 'abc\n', { mode: 0o600 })],
  [
    'E_CRYPTO_UNSEAL_MODE',
    (path) => {
      writeFileSync(path, `${'a'.repeat(64)}\n`);
      chmodSync(path, 0o640);
    },
  ],
];

for (const [code, prepare] of BAD_KEY_FILES) {
  test(`a missing, damaged or open unseal key stops the start [${code}]`, (t) => {
    const path = temporaryPath(t);
    prepare(path);
    assert.throws(
      () => loadUnsealKey(path, { isNew: false, random: systemRandom }),
      (error) => error instanceof Fault && error.code === code,
    );
  });
}
