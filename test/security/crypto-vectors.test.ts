/**
 * The primitives where our own code chooses their parameters, against vectors of others: AES-256-GCM
 * (the cases of its specification), HKDF (RFC 5869) and HMAC (RFC 4231). With a folder of Wycheproof
 * vectors in HOLDFAST_WYCHEPROOF, those run as well; without it they are skipped by name.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { deriveKey, open, seal } from '../../packages/server/src/crypto/index.ts';
import { Secret } from '../../packages/server/src/kernel/index.ts';
import { HmacSha256 } from '../../packages/server/src/verify/hmac-sha256.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const KEY = 'feffe9928665731c6d6a8f9467308308'.repeat(2);
const IV = 'cafebabefacedbaddecaf888';
const PLAIN =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
  '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255';
const CIPHER =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad';

/** McGrew and Viega, "The Galois/Counter Mode of Operation", cases 13 to 16: keys of 256 bits. */
const GCM_CASES = [
  {
    key: '00'.repeat(32),
    iv: '00'.repeat(12),
    plain: '',
    aad: '',
    cipher: '',
    tag: '530f8afbc74536b9a963b4f1c4cb738b',
  },
  {
    key: '00'.repeat(32),
    iv: '00'.repeat(12),
    plain: '00'.repeat(16),
    aad: '',
    cipher: 'cea7403d4d606b6e074ec5d3baf39d18',
    tag: 'd0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    key: KEY,
    iv: IV,
    plain: PLAIN,
    aad: '',
    cipher: CIPHER,
    tag: 'b094dac5d93471bdec1a502270e3cc6c',
  },
  {
    key: KEY,
    iv: IV,
    plain: PLAIN.slice(0, 120),
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    cipher: CIPHER.slice(0, 120),
    tag: '76fc6ece0f4e1768cddf8853bb2d551b',
  },
];

for (const [at, { key, iv, plain, aad, cipher, tag }] of GCM_CASES.entries()) {
  test(`AES-256-GCM, case ${13 + at} of its specification`, () => {
    const context = { key: hex(key), aad: hex(aad) };
    const sealed = seal(hex(plain), { ...context, random: () => new Uint8Array(hex(iv)) });
    assert.equal(sealed.toString('hex'), `${iv}${cipher}${tag}`);
    assert.equal(open(sealed, context).toString('hex'), plain);
    // A tag that is cut is no tag, however well its beginning fits.
    assert.throws(() => open(sealed.subarray(0, -1), context), { code: 'E_CRYPTO_OPEN' });
    assert.throws(() => open(sealed.subarray(0, -12), context), { code: 'E_CRYPTO_OPEN' });
  });
}

test('HKDF-SHA256 with an empty salt: RFC 5869, case 3, and the definition for any key and name', () => {
  const root = new Secret<Uint8Array>(Buffer.alloc(22, 0x0b));
  const wanted = '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d';
  assert.equal(Buffer.from(deriveKey(root, '').expose()).toString('hex'), wanted);
  const hmac = (key: Uint8Array, ...parts: (Uint8Array | string)[]): Buffer => {
    const mac = createHmac('sha256', key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (ikm, info) => {
      const expected = hmac(hmac(new Uint8Array(32), ikm), info, Uint8Array.of(1));
      assert.deepEqual(Buffer.from(deriveKey(new Secret(ikm), info).expose()), expected);
    }),
  );
});

/** RFC 4231 §4: key, data, HMAC-SHA256; case 5 has a truncated output, which we never take. */
const HMAC_CASES = [
  [
    '0b'.repeat(20),
    '4869205468657265',
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'aa'.repeat(20),
    'dd'.repeat(50),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
] as const;

for (const [at, [key, data, mac]] of HMAC_CASES.entries()) {
  test(`HMAC-SHA256, RFC 4231 case ${at + 1}`, () => {
    const hmac = new HmacSha256(hex(key));
    assert.ok(hmac.isTagOf({ bytes: hex(data) }, hex(mac)));
    assert.ok(!hmac.isTagOf({ bytes: hex(`${data}00`) }, hex(mac)));
  });
}

interface WycheproofFile {
  readonly testGroups: readonly (Readonly<Record<string, unknown>> & {
    readonly tests: readonly Readonly<Record<string, unknown>>[];
  })[];
}

/** The cases of a file, each with the members of its group; undefined when the file is not there. */
function wycheproof(name: string): Record<string, string>[] | undefined {
  const path = join(process.env['HOLDFAST_WYCHEPROOF'] ?? '/usr/share/wycheproof', name);
  if (!existsSync(path)) return undefined;
  const file = JSON.parse(readFileSync(path, 'utf8')) as WycheproofFile;
  return file.testGroups.flatMap(({ tests, ...group }) =>
    tests.map((one) =>
      Object.fromEntries(Object.entries({ ...group, ...one }).map(([k, v]) => [k, String(v)])),
    ),
  );
}

const SKIPPED = 'no vectors of Wycheproof on this machine (HOLDFAST_WYCHEPROOF names their folder)';

test('Wycheproof: AES-GCM', (t) => {
  const cases = wycheproof('aes_gcm_test.json')?.filter(
    ({ keySize, ivSize, tagSize }) => keySize === '256' && ivSize === '96' && tagSize === '128',
  );
  if (cases === undefined) return t.skip(SKIPPED);
  assert.ok(cases.length > 10);
  for (const { key = '', iv = '', aad = '', msg, ct, tag, result, tcId } of cases) {
    const judge = (): string =>
      open(hex(`${iv}${ct}${tag}`), { key: hex(key), aad: hex(aad) }).toString('hex');
    if (result === 'invalid') assert.throws(judge, `case ${tcId}`);
    else assert.equal(judge(), msg, `case ${tcId}`);
  }
});

test('Wycheproof: HKDF-SHA256', (t) => {
  const cases = wycheproof('hkdf_sha256_test.json')?.filter(
    ({ salt, size, result, info = '' }) =>
      salt === '' && Number(size) >= 32 && result === 'valid' && /^(?:[0-7][0-9a-f])*$/u.test(info),
  );
  if (cases === undefined) return t.skip(SKIPPED);
  for (const { ikm = '', info = '', okm, tcId } of cases) {
    const key = deriveKey(new Secret<Uint8Array>(hex(ikm)), hex(info).toString('latin1')).expose();
    assert.equal(Buffer.from(key).toString('hex'), okm?.slice(0, 64), `case ${tcId}`);
  }
});

test('Wycheproof: HMAC-SHA256', (t) => {
  const cases = wycheproof('hmac_sha256_test.json')?.filter(({ tagSize }) => tagSize === '256');
  if (cases === undefined) return t.skip(SKIPPED);
  for (const { key = '', msg = '', tag = '', result, tcId } of cases) {
    // Our keys have 32 bytes; one of more than a block is refused by its constructor.
    if (key.length > 128) continue;
    const isTag = new HmacSha256(hex(key)).isTagOf({ bytes: hex(msg) }, hex(tag));
    assert.equal(isTag, result !== 'invalid', `case ${tcId}`);
  }
});
