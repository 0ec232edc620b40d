import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { testFolder } from '../test-support/test-bundle.ts';
import { certsOnly, issue, testPki } from '../test-support/test-pki.ts';
import { chainFor, findAnchor, readCertificates } from './certificate-chain.ts';
import { readCertsOnly } from './certs-only.ts';
import { TAG, derElement, derOid, derSequence, derSmallInteger } from './der-writer.ts';
import { CERTIFICATES_MAX } from './limits.ts';

const pki = testPki();
const all = [pki.root, pki.issuer, pki.server];

test('the certificates of a message of openssl are read, in its order', (t) => {
  const path = join(testFolder(t), 'all.pem');
  writeFileSync(path, all.map(({ pem }) => pem).join(''));
  const command = ['crl2pkcs7', '-nocrl', '-certfile', path, '-outform', 'DER'];
  const message = execFileSync('openssl', command).toString('base64');
  const read = readCertsOnly(message)?.map((der) => Buffer.from(der).toString('hex'));
  const expected = all.map(({ der }) => Buffer.from(der).toString('hex'));
  assert.deepEqual(read?.toSorted(), expected.toSorted());
});

test('line breaks do not matter, anything else around the message does [RFC 7030 §4.1.3]', () => {
  const message = certsOnly(all.map(({ der }) => der));
  assert.ok(message.includes('\r\n'));
  assert.equal(readCertsOnly(message)?.length, 3);
  assert.equal(readCertsOnly(`${message}\n`)?.length, 3);
  assert.equal(readCertsOnly(`-${message}`), undefined);
  const bytes = Buffer.from(message, 'base64');
  assert.equal(readCertsOnly(Buffer.concat([bytes, Buffer.of(0)]).toString('base64')), undefined);
  assert.equal(readCertsOnly(bytes.subarray(0, -1).toString('base64')), undefined);
  assert.equal(readCertsOnly(''), undefined);
});

test('at most CERTIFICATES_MAX certificates, and at least one', () => {
  const many = (count: number) => certsOnly(Array.from({ length: count }, () => pki.root.der));
  assert.equal(readCertsOnly(many(0)), undefined);
  assert.equal(readCertsOnly(many(CERTIFICATES_MAX))?.length, CERTIFICATES_MAX);
  assert.equal(readCertsOnly(many(CERTIFICATES_MAX + 1)), undefined);
});

test('a message of another type is none', () => {
  const data = derSequence(
    derOid('1.2.840.113549.1.7.1'),
    derElement(TAG.context0, derElement(TAG.octetString)),
  );
  assert.equal(readCertsOnly(Buffer.from(data).toString('base64')), undefined);
  const bare = derSequence(derOid('1.2.840.113549.1.7.2'), derSmallInteger(1));
  assert.equal(readCertsOnly(Buffer.from(bare).toString('base64')), undefined);
});

test('any text, and any message with one byte changed, is read or is none', () => {
  const bytes = Buffer.from(certsOnly([pki.root.der]), 'base64');
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ change;
      readCertificates(readCertsOnly(changed.toString('base64')) ?? []);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      readCertsOnly(text);
    }),
  );
});

test('a chain leads from the key to the anchor, whatever the order', () => {
  const [root, issuer, server] = readCertificates(all.map(({ der }) => der)) ?? [];
  assert.ok(root !== undefined && issuer !== undefined && server !== undefined);
  const key = pki.server.privateKey;
  for (const pool of [
    [server, issuer, root],
    [root, issuer, server],
  ]) {
    const chain = chainFor(key, { pool, anchor: root });
    assert.deepEqual(
      chain?.map(({ subject }) => subject),
      ['CN=test server', 'CN=test issuer'],
    );
  }
  assert.equal(chainFor(key, { pool: [server], anchor: root }), undefined, 'no issuer');
  assert.equal(chainFor(key, { pool: [issuer], anchor: root }), undefined, 'no leaf');
});

test('a certificate that only names the issuer, or an issuer that may not issue, leads nowhere', () => {
  const impostor = issue({ name: 'test issuer', isAuthority: true });
  const forged = issue({ name: 'thermostat-1', issuer: impostor });
  const notAuthority = issue({ name: 'no authority', issuer: pki.issuer });
  const below = issue({ name: 'thermostat-1', issuer: notAuthority });
  const ders = [...all, forged, notAuthority, below].map(({ der }) => der);
  const pool = readCertificates(ders) ?? [];
  const anchor = pool[0];
  assert.ok(anchor !== undefined);
  assert.equal(chainFor(forged.privateKey, { pool, anchor }), undefined);
  assert.equal(chainFor(below.privateKey, { pool, anchor }), undefined);
  assert.notEqual(chainFor(notAuthority.privateKey, { pool, anchor }), undefined);
});

test('only the pinned certificate is the anchor', () => {
  const pool = readCertificates(all.map(({ der }) => der)) ?? [];
  assert.equal(findAnchor(pool, 'A'.repeat(43)), undefined);
});
