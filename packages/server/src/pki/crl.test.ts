import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import { CertificateList } from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { CRL_ENTRY_BYTES_MAX, type RevocationReason, writeCrlEntry } from './crl.ts';
import { SEQUENCE, header } from './der.ts';
import { CRL_INTERVAL_MS, CRL_LIFE_MS, CRL_PARTITIONS, CRL_RENEWAL_MS } from './limits.ts';
import { opensslLab } from './openssl.testing.ts';
import { parseCrlPath, crlPath, partitionOf } from './revocation-urls.ts';
import { BASE_URL, crlVerdict, revocationLab } from './revocation.testing.ts';

test('openssl reads an empty list, and checks by it', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab();
  const leaf = lab.issue('thermostat-1');
  const { der, count } = lab.list.complete();
  assert.equal(count, 0);
  assert.equal(crlVerdict(openssl, lab, { leaf, crl: der }), 'ok');
  const text = openssl.openssl('crl -in list.pem -noout -text').stdout.toString();
  assert.match(text, /No Revoked Certificates/u);
  assert.match(text, /Version 2/u);
  assert.match(text, /ecdsa-with-SHA256/u);
});

test('openssl verify refuses what is on the list, and nothing else', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab();
  const [good, bad] = [lab.issue('good'), lab.issue('bad')];
  lab.revoke(bad, 'keyCompromise');
  const { der } = lab.list.complete();
  assert.equal(crlVerdict(openssl, lab, { leaf: good, crl: der }), 'ok');
  assert.match(crlVerdict(openssl, lab, { leaf: bad, crl: der }), /certificate revoked/u);
  const other = revocationLab();
  assert.match(
    crlVerdict(openssl, lab, { leaf: good, crl: other.list.complete().der }),
    /unable to get certificate CRL|signature failure/u,
    'a list of another authority says nothing',
  );
});

test('a list is old after a day', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab();
  const leaf = lab.issue('thermostat-1');
  const { der, nextUpdateMs } = lab.list.complete();
  assert.equal(nextUpdateMs, lab.clock.ms + CRL_LIFE_MS);
  lab.clock.ms = nextUpdateMs - 1_000;
  assert.equal(crlVerdict(openssl, lab, { leaf, crl: der }), 'ok');
  lab.clock.ms = nextUpdateMs + 1_000;
  assert.match(crlVerdict(openssl, lab, { leaf, crl: der }), /CRL has expired/u);
});

test('openssl verify takes the partition that the certificate names, and no other', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab({ baseUrl: BASE_URL });
  const [good, bad] = [lab.issue('good'), lab.issue('bad')];
  lab.revoke(bad);
  const verdict = (leaf: typeof good, index: number): string =>
    crlVerdict(openssl, lab, { leaf, crl: lab.list.partition(index)?.der });
  assert.equal(verdict(good, partitionOf(good.serial)), 'ok');
  assert.match(verdict(bad, partitionOf(bad.serial)), /certificate revoked/u);
  const wrong = (partitionOf(good.serial) + 1) % CRL_PARTITIONS;
  assert.match(verdict(good, wrong), /different CRL scope/iu);
  // The complete list is good for a certificate that names a partition, too.
  const { der } = lab.list.complete();
  assert.equal(crlVerdict(openssl, lab, { leaf: good, crl: der }), 'ok');
  assert.match(crlVerdict(openssl, lab, { leaf: bad, crl: der }), /certificate revoked/u);
  // A certificate that names none, from a server that had no public name, needs the complete one.
  const plain = revocationLab();
  const leaf = plain.issue('plain');
  const crl = plain.list.partition(partitionOf(leaf.serial))?.der;
  assert.match(crlVerdict(openssl, plain, { leaf, crl }), /different CRL scope/iu);
  assert.equal(lab.list.partition(CRL_PARTITIONS), undefined);
  assert.equal(lab.list.partition(-2), undefined);
});

test('a certificate names its partition and the responder only when there is a public name', (context) => {
  const openssl = opensslLab(context);
  const named = revocationLab({ baseUrl: BASE_URL }).issue('thermostat-1');
  const plain = revocationLab().issue('thermostat-1');
  openssl.write('named.der', named.der);
  const text = openssl.openssl('x509 -inform DER -in named.der -noout -text').stdout.toString();
  const label = named.issuerKeyId.slice(0, 8);
  const partition = partitionOf(named.serial);
  assert.ok(text.includes(`URI:${BASE_URL}/crl/devices-${label}-${partition}.crl`), text);
  assert.ok(text.includes(`OCSP - URI:${BASE_URL}/ocsp`), text);
  assert.equal(new X509Certificate(plain.der).infoAccess, undefined);
  // What both extensions cost a device in flash, and in each full handshake.
  const cost = named.der.length - plain.der.length;
  assert.ok(cost > 100 && cost < 170, `${cost} bytes`);
});

test('reasons, numbers and issuer stand as RFC 5280 wants them', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab();
  const reasons: (RevocationReason | undefined)[] = [
    'keyCompromise',
    'affiliationChanged',
    'superseded',
    'cessationOfOperation',
    'privilegeWithdrawn',
    undefined,
  ];
  for (const reason of reasons) lab.revoke(lab.issue('device'), reason);
  const { der, number, count } = lab.list.complete();
  assert.equal(count, reasons.length);
  openssl.write('list.crl', der);
  const text = openssl.openssl('crl -inform DER -in list.crl -noout -text').stdout.toString();
  for (const name of [
    'Key Compromise',
    'Affiliation Changed',
    'Superseded',
    'Cessation Of Operation',
    'Privilege Withdrawn',
  ]) {
    assert.equal(text.split(name).length, 2, name);
  }
  assert.equal(text.split('CRL Reason Code').length - 1, reasons.length - 1);
  const keyId = lab.list.issuer.keyId.toUpperCase().replaceAll(/(..)(?=.)/gu, '$1:');
  assert.ok(text.includes(keyId), text);
  const shown = /CRL Number: \s*(\w+)/u.exec(text)?.[1];
  assert.equal(Number(shown), number, text);
});

test('a list is signed again when something changed, or an hour has passed; once a second', () => {
  const lab = revocationLab();
  const first = lab.list.complete();
  lab.clock.ms += CRL_INTERVAL_MS;
  assert.equal(lab.list.complete(), first, 'nothing changed');
  lab.clock.ms = first.thisUpdateMs + CRL_RENEWAL_MS - 1;
  assert.equal(lab.list.complete(), first);
  lab.clock.ms += 1;
  const second = lab.list.complete();
  assert.ok(second.number > first.number);
  assert.equal(second.thisUpdateMs, lab.clock.ms);
  lab.revoke(lab.issue('a'));
  lab.clock.ms += CRL_INTERVAL_MS - 1;
  assert.equal(lab.list.complete(), second, 'the rest of the second waits');
  lab.clock.ms += 1;
  const third = lab.list.complete();
  assert.equal(third.count, 1);
  assert.ok(third.number > second.number);
  // A clock that was set back: still a larger number.
  lab.clock.ms -= 10 * CRL_RENEWAL_MS;
  assert.ok(lab.list.complete().number > third.number);
});

test('a change in one partition leaves the others as they are', () => {
  const lab = revocationLab();
  const leaf = lab.issue('a');
  const index = partitionOf(leaf.serial);
  const other = (index + 1) % CRL_PARTITIONS;
  const before = [lab.list.partition(index), lab.list.partition(other)];
  lab.revoke(leaf);
  lab.clock.ms += CRL_INTERVAL_MS;
  assert.notEqual(lab.list.partition(index), before[0]);
  assert.equal(lab.list.partition(other), before[1]);
  assert.equal(lab.list.partition(index)?.count, 1);
});

test('an entry goes a day after its certificate has expired', () => {
  const lab = revocationLab();
  const leaf = lab.issue('a');
  lab.revoke(leaf);
  lab.clock.ms = leaf.notAfterMs + CRL_LIFE_MS - 1;
  assert.equal(lab.list.complete().count, 1);
  lab.clock.ms += CRL_INTERVAL_MS;
  assert.equal(lab.list.complete().count, 0);
});

test('what was superseded and is then revoked has one entry, with the later reason', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab();
  const leaf = lab.issue('a');
  lab.revoke(leaf, 'superseded');
  assert.equal(lab.list.complete().count, 1);
  lab.revoke(leaf, 'keyCompromise');
  lab.clock.ms += CRL_INTERVAL_MS;
  const { der, count } = lab.list.complete();
  assert.equal(count, 1);
  openssl.write('list.crl', der);
  const text = openssl.openssl('crl -inform DER -in list.crl -noout -text').stdout.toString();
  assert.match(text, /Key Compromise/u);
  assert.doesNotMatch(text, /Superseded/u);
});

test('any entry fits its room, and another reader of ASN.1 agrees with what was written', () => {
  const lab = revocationLab();
  const entry = fc.record({
    serial: fc
      .uint8Array({ minLength: 1, maxLength: 19 })
      .map((bytes) => `01${Buffer.from(bytes).toString('hex')}`),
    revokedAtMs: fc.integer({ min: 0, max: Date.UTC(2099, 11, 31) }),
    notAfterMs: fc.constant(Date.UTC(2100, 0)),
    reason: fc.constantFrom(undefined, 'keyCompromise' as const, 'superseded' as const),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: ({ serial }) => serial, maxLength: 20 }),
      (all) => {
        const { list } = revocationLab({ clock: lab.clock });
        const target = Buffer.alloc(CRL_ENTRY_BYTES_MAX);
        for (const one of all) {
          assert.ok(writeCrlEntry(target, 0, one) <= CRL_ENTRY_BYTES_MAX);
          list.put(one);
        }
        const { tbsCertList } = AsnConvert.parse(list.complete().der, CertificateList);
        const read = (tbsCertList.revokedCertificates ?? []).map((revoked) => ({
          serial: Buffer.from(revoked.userCertificate).toString('hex'),
          atMs: revoked.revocationDate.getTime().getTime(),
          reasons: revoked.crlEntryExtensions?.length ?? 0,
        }));
        const expected = all.map(({ serial, revokedAtMs, reason }) => ({
          serial,
          atMs: Math.floor(revokedAtMs / 1_000) * 1_000,
          reasons: reason === undefined ? 0 : 1,
        }));
        const bySerial = (a: { serial: string }, b: { serial: string }): number =>
          a.serial < b.serial ? -1 : 1;
        assert.deepEqual(read.toSorted(bySerial), expected.toSorted(bySerial));
      },
    ),
    { numRuns: 30 },
  );
});

test('a list of more than 64 KiB is read', (context) => {
  const openssl = opensslLab(context);
  const lab = revocationLab();
  const { ms } = lab.clock;
  for (let at = 0; at < 2_000; at += 1) {
    const serial = `01${at.toString(16).padStart(32, '0')}`;
    lab.list.put({ serial, notAfterMs: ms, revokedAtMs: ms, reason: 'superseded' });
  }
  const { der } = lab.list.complete();
  assert.ok(der.length > 1 << 16);
  assert.equal(crlVerdict(openssl, lab, { leaf: lab.issue('a'), crl: der }), 'ok');
});

test('lengths take the fewest bytes, up to 4 GiB', () => {
  const lengths = {
    '3000': 0,
    '307f': 0x7f,
    '308180': 0x80,
    '3082ffff': 0xffff,
    '3083010000': 0x10000,
    '3083ffffff': 0xffffff,
    '308401000000': 0x1000000,
    '3084ffffffff': 0xffffffff,
  };
  for (const [hex, length] of Object.entries(lengths)) {
    assert.equal(Buffer.from(header(SEQUENCE, length)).toString('hex'), hex);
  }
});

test('paths of lists are read as they are written, and others are none', () => {
  for (const issuer of [undefined, '1a2b3c4d', '12345678']) {
    for (const partition of [undefined, 0, 7, 255]) {
      assert.deepEqual(parseCrlPath(crlPath({ issuer, partition })), { issuer, partition });
    }
  }
  for (const path of [
    '/crl/devices-256.crl',
    '/crl/devices-07.crl',
    '/crl/devices-1A2B3C4D.crl',
    '/crl/devices-1a2b3c4d-.crl',
    '/crl/servers.crl',
    '/crl/devices.crl/',
    '/crl/../devices.crl',
  ]) {
    assert.equal(parseCrlPath(path), undefined, path);
  }
});
