import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import {
  METADATA_BYTES_MAX,
  ROLE_KEYS_MAX,
  type Release,
  canonicalBytes,
  fromBytes,
  keyAlgorithm,
  keyOf,
  kindOfRole,
  newDirectorTargets,
  newLine,
  newRoot,
  newSnapshot,
  newTargets,
  newTimestamp,
  publicKeyOf,
  readPublicKey,
  releasesOf,
  scopeOf,
  toBytes,
  unsigned,
} from '../index.ts';

const expiresMs = Date.parse('2027-01-01T00:00:00.999Z');
const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = () => keyOf(generateKeyPairSync('ed25519').publicKey);
const dated = { version: 1, expiresMs };

function release(changes: Partial<Release['custom']> = {}): Release {
  const custom = { line: 'thermo', version: '2.1.0', hardware: ['thermo-a'], counter: 7 };
  return {
    id: 'thermo@2.1.0',
    path: 'thermo/2.1.0/fw.bin',
    length: 3,
    sha256: 'ab'.repeat(32),
    custom: { ...custom, ...changes },
  };
}

function root(keys: number) {
  const people = { keys: Array.from({ length: keys }, key), threshold: 1 };
  const one = { keys: [key()], threshold: 1 };
  return newRoot({
    ...dated,
    repository: 'image',
    root: people,
    targets: people,
    snapshot: one,
    timestamp: one,
  });
}

const problemOf = (read: unknown): string =>
  read instanceof Refusal ? read.detail : assert.fail('it was taken');

test('a key has one id, which is the hash of its canonical form', () => {
  const one = keyOf(p256.publicKey);
  const pem = p256.publicKey.export({ format: 'pem', type: 'spki' });
  const canonical = `{"keytype":"ecdsa","keyval":{"public":"${pem}"},"scheme":"ecdsa-sha2-nistp256"}`;
  assert.equal(one.keyID, createHash('sha256').update(canonical).digest('hex'));
  assert.equal(keyAlgorithm(one), 'ecdsa-p256');
  const two = keyOf(ed25519.publicKey);
  assert.match(two.keyVal['public'] ?? '', /^[0-9a-f]{64}$/u);
  for (const [known, pair] of [
    [one, p256],
    [two, ed25519],
  ] as const) {
    assert.ok(publicKeyOf(known)?.equals(pair.publicKey));
    const der = pair.publicKey.export({ format: 'der', type: 'spki' });
    assert.deepEqual(readPublicKey(der), known);
  }
});

test('a private key, another curve and other text are no public keys', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  for (const wrong of [
    p256.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    other.publicKey.export({ format: 'pem', type: 'spki' }),
    generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({
      format: 'pem',
      type: 'spki',
    }),
    '',
    Buffer.alloc(40),
  ]) {
    assert.ok(readPublicKey(wrong) instanceof Refusal);
  }
  assert.throws(() => keyOf(p256.privateKey), TypeError);
});

test('each document reads back as it was written', () => {
  const scope = { repository: 'director', device: 'pump-1' } as const;
  const bytes = Buffer.from('x');
  const line = { line: 'thermo', keys: [key()], threshold: 1 };
  for (const [kind, signed] of [
    ['root', root(3)],
    ['targets', newTargets({ ...dated, lines: [line] })],
    ['targets', newLine({ ...dated, line: 'thermo', releases: [release()] })],
    ['targets', newDirectorTargets({ ...dated, device: 'pump-1', release: release() })],
    ['targets', newDirectorTargets({ ...dated, device: 'pump-1', release: undefined })],
    [
      'snapshot',
      newSnapshot({ ...dated, scope, files: [{ name: 'targets.json', version: 1, bytes }] }),
    ],
    ['timestamp', newTimestamp({ ...dated, scope, snapshot: { version: 1, bytes } })],
  ] as const) {
    const read = fromBytes(kind, toBytes(unsigned(signed)));
    assert.ok(!(read instanceof Refusal), kind);
    assert.deepEqual(canonicalBytes(read.signed), canonicalBytes(signed));
    assert.equal(read.signed.expires, '2027-01-01T00:00:00Z');
    assert.equal(scopeOf(read.signed).repository, scopeOf(signed).repository);
  }
  const read = fromBytes(
    'targets',
    toBytes(
      unsigned(
        newLine({ ...dated, line: 'thermo', releases: [release({ minimumVersion: undefined })] }),
      ),
    ),
  );
  assert.ok(!(read instanceof Refusal));
  assert.deepEqual(releasesOf(read.signed), [release()]);
});

test('documents that do not hold together are refused', () => {
  const line = (one: Release) =>
    fromBytes('targets', toBytes(unsigned(newLine({ ...dated, line: 'thermo', releases: [one] }))));
  for (const path of [
    'pump/2.1.0/fw.bin',
    'thermo/2.1.1/fw.bin',
    'thermo/2.1.0/../fw',
    'thermo/2.1.0/.fw',
  ]) {
    assert.match(problemOf(line({ ...release(), path })), /path/u);
  }
  assert.match(
    problemOf(line({ ...release({ line: 'pump' }), path: 'pump/2.1.0/a' })),
    /another product line/u,
  );
  assert.match(problemOf(line(release({ hardware: [] }))), /hardware/u);
  const twice = newLine({
    ...dated,
    line: 'thermo',
    releases: [release(), { ...release(), path: 'thermo/2.1.0/b' }],
  });
  assert.match(problemOf(fromBytes('targets', toBytes(unsigned(twice)))), /twice/u);
  const nobody = newTimestamp({
    ...dated,
    scope: { repository: 'director' },
    snapshot: { version: 1, bytes: Buffer.from('x') },
  });
  assert.match(problemOf(fromBytes('timestamp', toBytes(unsigned(nobody)))), /no device/u);
});

test('limits hold on both sides', () => {
  assert.ok(!(fromBytes('root', toBytes(unsigned(root(ROLE_KEYS_MAX)))) instanceof Refusal));
  assert.ok(fromBytes('root', toBytes(unsigned(root(ROLE_KEYS_MAX + 1)))) instanceof Refusal);
  const bytes = toBytes(unsigned(root(1)));
  const padded = (length: number): Buffer =>
    Buffer.concat([bytes, Buffer.alloc(length - bytes.length, ' ')]);
  assert.ok(!(fromBytes('root', padded(METADATA_BYTES_MAX.root)) instanceof Refusal));
  assert.match(problemOf(fromBytes('root', padded(METADATA_BYTES_MAX.root + 1))), /more than/u);
  // Bytes that are no UTF-8 would be signed as others than these.
  const text = bytes.toString('latin1').replace('"image"', '"im\u00FFge"');
  assert.ok(fromBytes('root', Buffer.from(text, 'latin1')) instanceof Refusal);
});

test('names of roles', () => {
  assert.equal(kindOfRole('root'), 'root');
  assert.equal(kindOfRole('line-thermo'), 'targets');
  for (const wrong of ['line-', 'line-A', 'line', 'targets.json', '', `line-${'a'.repeat(33)}`]) {
    assert.equal(kindOfRole(wrong), undefined, wrong);
  }
});
