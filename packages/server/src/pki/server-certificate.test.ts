import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { test } from 'node:test';
import { ManualClock, NOW_MS, newAuthority, opensslLab } from './openssl.testing.ts';
import {
  ServerCertificateSchema,
  ensureServerCertificate,
  rotateServerCertificate,
} from './server-certificate.ts';

const DAY_MS = 86_400_000;
const names = ['localhost', '127.0.0.1'];

test('a kept certificate is given again, across a restart', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const first = ensureServerCertificate(undefined, { authority, names, clock });
  assert.ok(first.isNew);
  const saved = ServerCertificateSchema.parse(JSON.parse(JSON.stringify(first.material)));
  const again = ensureServerCertificate(saved, { authority, names: names.toReversed(), clock });
  assert.ok(!again.isNew);
  assert.equal(again.certChainPem, first.certChainPem);
  assert.deepEqual(again.pins, first.pins);
  assert.equal(again.keyPem.expose(), first.keyPem.expose());
});

test('it is issued again, with the same key, once less than a third of its life is left', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const first = ensureServerCertificate(undefined, { authority, names, clock });
  clock.ms = NOW_MS + (397 * DAY_MS * 2) / 3;
  assert.ok(!ensureServerCertificate(first.material, { authority, names, clock }).isNew);
  clock.ms += 1;
  const second = ensureServerCertificate(first.material, { authority, names, clock });
  assert.ok(second.isNew);
  assert.equal(second.pins.spki, first.pins.spki);
  assert.notEqual(second.pins.certificate, first.pins.certificate);
  const leaf = new X509Certificate(second.certChainPem);
  assert.equal(leaf.validToDate.getTime(), Math.floor(clock.ms / 1000) * 1000 + 397 * DAY_MS);
});

test('it is issued again, with the same key, when a name comes or goes', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const first = ensureServerCertificate(undefined, { authority, names, clock });
  for (const changed of [[...names, '::1'], ['localhost'], ['localhost', '127.0.0.2']]) {
    const next = ensureServerCertificate(first.material, { authority, names: changed, clock });
    assert.ok(next.isNew, changed.join(' '));
    assert.equal(next.pins.spki, first.pins.spki);
  }
});

test('a rotation shows the key of the backup pin, and makes another one', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const first = ensureServerCertificate(undefined, { authority, names, clock });
  const rotated = rotateServerCertificate(first.material, { authority, names });
  assert.equal(rotated.pins.spki, first.pins.backupSpki);
  assert.notEqual(rotated.pins.backupSpki, first.pins.spki);
  assert.notEqual(rotated.pins.backupSpki, first.pins.backupSpki);
  const { publicKey } = new X509Certificate(rotated.certChainPem);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  assert.equal(createHash('sha256').update(spki).digest('base64'), first.pins.backupSpki);
  const kept = ensureServerCertificate(rotated.material, { authority, names, clock });
  assert.deepEqual([kept.isNew, kept.pins], [false, rotated.pins]);
});

test('each certificate has a higher version of the pins, whatever the clock does', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const first = ensureServerCertificate(undefined, { authority, names, clock });
  const second = rotateServerCertificate(first.material, { authority, names });
  assert.equal(second.pinsVersion, first.pinsVersion + 1, 'made in the same second');
  const { pinsVersion: _, ...old } = first.material;
  const third = rotateServerCertificate(old, { authority, names });
  assert.equal(third.pinsVersion, first.pinsVersion + 1, 'after a record without one');
  const ahead = { ...second.material, pinsVersion: second.pinsVersion + 9 };
  assert.equal(
    rotateServerCertificate(ahead, { authority, names }).pinsVersion,
    ahead.pinsVersion + 1,
  );
  const kept = ensureServerCertificate(second.material, { authority, names, clock });
  assert.equal(kept.pinsVersion, second.pinsVersion);
});

test('a record from before backup pins gets its next key, and keeps its certificate', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const { material, pins } = ensureServerCertificate(undefined, { authority, names, clock });
  const { nextKey, ...old } = material;
  assert.ok(nextKey);
  const now = ensureServerCertificate(old, { authority, names, clock });
  assert.ok(now.isNew, 'to be kept');
  assert.equal(now.pins.certificate, pins.certificate);
  assert.notEqual(now.pins.backupSpki, pins.backupSpki);
});

test('pins are what openssl computes, and the chain is leaf and servers authority', (context) => {
  const lab = opensslLab(context);
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  const { certChainPem, pins, keyPem } = ensureServerCertificate(undefined, {
    authority,
    names,
    clock,
  });
  lab.write('leaf.pem', certChainPem);
  const fingerprint = lab
    .openssl('x509 -in leaf.pem -noout -fingerprint -sha256')
    .stdout.toString();
  assert.equal(
    fingerprint.split('=')[1]?.trim().replaceAll(':', '').toLowerCase(),
    pins.certificate,
  );
  const spki = lab.openssl('pkey -pubout -outform DER', keyPem.expose()).stdout;
  assert.equal(createHash('sha256').update(spki).digest('base64'), pins.spki);
  assert.ok(certChainPem.endsWith(authority.serversCaPem));
  assert.equal(certChainPem.match(/BEGIN CERTIFICATE/gu)?.length, 2);
  assert.equal(JSON.stringify({ keyPem }), '{"keyPem":"[redacted]"}');
});
