import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { test } from 'node:test';
import { GeneralName } from '@peculiar/asn1-x509';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { AuthoritySchema } from './authority-material.ts';
import { openAuthority } from './authority.ts';
import { certificatePem, signCertificate, spkiOf } from './certificate.ts';
import { createAuthority } from './generations.ts';
import {
  ManualClock,
  NOW_MS,
  type OpensslLab,
  deviceId,
  devicesIssuer,
  newAuthority,
  opensslLab,
  tenantName,
} from './openssl.testing.ts';
import { deviceProfile } from './profiles.ts';

const DAY_MS = 86_400_000;
const tenant = tenantName('default');

function newSpki(): Uint8Array {
  return spkiOf(softwareKeyHandle('ES256', generatePrivateKey('ES256')));
}

/** Lets openssl judge a leaf; gives its complaint, or 'ok'. */
function verdict(
  lab: OpensslLab,
  { leaf, ca, anchor }: { leaf: Uint8Array; ca: string; anchor: string },
  { purpose, atMs = NOW_MS }: { purpose: 'sslclient' | 'sslserver'; atMs?: number },
): string {
  lab.write('leaf.pem', certificatePem(leaf));
  lab.write('ca.pem', ca);
  lab.write('root.pem', anchor);
  const { isOk, stderr } = lab.openssl(
    `verify -x509_strict -check_ss_sig -attime ${atMs / 1000} -purpose ${purpose} ` +
      '-CAfile root.pem -untrusted ca.pem leaf.pem',
  );
  return isOk ? 'ok' : stderr;
}

test('openssl accepts a device certificate for clients, and not for servers', (context) => {
  const lab = opensslLab(context);
  const authority = newAuthority();
  for (const id of ['thermostat-1', 'with.dots.like-a-host', 'a_b', 'x'.repeat(64)]) {
    const issued = authority.issueDevice({
      spki: newSpki(),
      tenant,
      deviceId: deviceId(id),
      lifeMs: 90 * DAY_MS,
    });
    const chain = { leaf: issued.der, ca: authority.devicesCaPem, anchor: authority.anchorPem };
    assert.equal(verdict(lab, chain, { purpose: 'sslclient' }), 'ok', id);
    assert.match(verdict(lab, chain, { purpose: 'sslserver' }), /purpose/u);
    const text = lab.openssl('x509 -in leaf.pem -noout -ext subjectAltName').stdout.toString();
    assert.equal(text.split('\n')[1]?.trim(), `URI:urn:holdfast:default:${id}`);
  }
});

test('openssl accepts a server certificate for servers by all of its names, not for clients', (context) => {
  const lab = opensslLab(context);
  const authority = newAuthority();
  const names = ['localhost', 'hub.example.org', '127.0.0.1', '::1', '::ffff:192.0.2.1'];
  const { der } = authority.issueServer({ spki: newSpki(), names });
  const chain = { leaf: der, ca: authority.serversCaPem, anchor: authority.anchorPem };
  assert.equal(verdict(lab, chain, { purpose: 'sslserver' }), 'ok');
  assert.match(verdict(lab, chain, { purpose: 'sslclient' }), /purpose/u);
  const certificate = new X509Certificate(der);
  assert.ok(certificate.checkHost('hub.example.org'));
  assert.equal(certificate.checkHost('other.example.org'), undefined);
  for (const address of ['127.0.0.1', '::1', '::ffff:192.0.2.1']) {
    assert.ok(certificate.checkIP(address), address);
  }
});

test('a name that is no host is a fault', () => {
  const authority = newAuthority();
  for (const name of [
    '',
    'a b',
    'a..b',
    '*.example.org',
    'a\0b',
    'fe80::1%eth0',
    'x'.repeat(254),
  ]) {
    assert.throws(() => authority.issueServer({ spki: newSpki(), names: [name] }), {
      code: 'E_PKI_NAME',
    });
  }
  assert.throws(() => authority.issueServer({ spki: newSpki(), names: [] }), /E_PKI|cannot/u);
});

test('the devices authority cannot name a host: openssl obeys its name constraints', (context) => {
  const lab = opensslLab(context);
  const deps = { clock: new ManualClock(), random: systemRandom };
  const authority = openAuthority(createAuthority({ ...deps, tenant }), deps);
  const issuer = devicesIssuer(authority);
  const device = { tenant, id: deviceId('thermostat-1'), lifeMs: DAY_MS };
  const template = deviceProfile({ spki: newSpki(), nowMs: NOW_MS }, device);
  const judge = (names: GeneralName[]): string => {
    const alternativeNames = [...template.alternativeNames, ...names];
    const { der } = signCertificate({ ...template, alternativeNames }, { issuer, ...deps });
    const chain = { leaf: der, ca: authority.devicesCaPem, anchor: authority.anchorPem };
    return verdict(lab, chain, { purpose: 'sslclient' });
  };
  assert.equal(judge([]), 'ok');
  for (const name of [
    { dNSName: 'broker.example.org' },
    { dNSName: 'localhost' },
    { iPAddress: '192.0.2.1' },
    { iPAddress: '2001:db8::1' },
  ]) {
    assert.match(judge([new GeneralName(name)]), /excluded subtree violation/u);
  }
});

test('a certificate counts from a minute ago to the end of its life, and not longer', (context) => {
  const lab = opensslLab(context);
  const clock = new ManualClock(NOW_MS + 123);
  const authority = newAuthority(clock);
  const device = { spki: newSpki(), tenant, deviceId: deviceId('a') };
  const issued = authority.issueDevice({ ...device, lifeMs: DAY_MS });
  assert.equal(issued.notBeforeMs, NOW_MS - 60_000);
  assert.equal(issued.notAfterMs, NOW_MS + DAY_MS);
  const { validFromDate, validToDate, serialNumber } = new X509Certificate(issued.der);
  assert.equal(validFromDate.getTime(), issued.notBeforeMs);
  assert.equal(validToDate.getTime(), issued.notAfterMs);
  assert.equal(serialNumber.toLowerCase(), issued.serial);
  const chain = { leaf: issued.der, ca: authority.devicesCaPem, anchor: authority.anchorPem };
  const at = (atMs: number): string => verdict(lab, chain, { purpose: 'sslclient', atMs });
  assert.match(at(NOW_MS - 61_000), /not yet valid/u);
  assert.equal(at(NOW_MS - 59_000), 'ok');
  assert.equal(at(NOW_MS + DAY_MS - 1000), 'ok');
  assert.match(at(NOW_MS + DAY_MS + 1000), /expired/u);
});

test('a certificate never outlives the authority that issued it', () => {
  const clock = new ManualClock();
  const authority = newAuthority(clock);
  clock.ms = authority.devicesCa.validToDate.getTime() - DAY_MS;
  const device = { spki: newSpki(), tenant, deviceId: deviceId('a') };
  const inside = authority.issueDevice({ ...device, lifeMs: DAY_MS - 1000 });
  assert.equal(inside.notAfterMs, clock.ms + DAY_MS - 1000);
  const outside = authority.issueDevice({ ...device, lifeMs: DAY_MS + 1000 });
  assert.equal(outside.notAfterMs, clock.ms + DAY_MS);
});

test('dates beyond 2049 are written in the form that openssl -x509_strict wants', (context) => {
  const lab = opensslLab(context);
  const atMs = Date.UTC(2045, 0, 1, 0, 0, 0, 789);
  const authority = newAuthority(new ManualClock(atMs));
  const device = { spki: newSpki(), tenant, deviceId: deviceId('a'), lifeMs: 8 * 365 * DAY_MS };
  const { der } = authority.issueDevice(device);
  const chain = { leaf: der, ca: authority.devicesCaPem, anchor: authority.anchorPem };
  const purpose = 'sslclient';
  assert.equal(verdict(lab, chain, { purpose, atMs: Math.floor(atMs / 1000) * 1000 }), 'ok');
});

test('serial numbers are positive, minimal and differ, whatever the random bytes', (context) => {
  const lab = opensslLab(context);
  for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
    const deps = {
      clock: new ManualClock(),
      random: (count: number) => new Uint8Array(count).fill(byte),
    };
    const authority = openAuthority(createAuthority({ ...deps, tenant }), deps);
    const device = { spki: newSpki(), tenant, deviceId: deviceId('a'), lifeMs: DAY_MS };
    const { der, serial } = authority.issueDevice(device);
    lab.write('leaf.der', der);
    const text = lab.openssl('x509 -inform DER -in leaf.der -noout -serial').stdout.toString();
    assert.equal(text.trim().toLowerCase(), `serial=${serial}`);
    assert.equal(serial, `01${Buffer.alloc(16, byte).toString('hex')}`);
  }
});

test('an authority survives being kept as JSON, and gives nothing secret of itself', () => {
  const deps = { clock: new ManualClock(), random: systemRandom };
  const material = createAuthority({ ...deps, tenant });
  const again = AuthoritySchema.parse(JSON.parse(JSON.stringify(material)));
  const authority = openAuthority(again, deps);
  assert.equal(authority.anchorPem, openAuthority(material, deps).anchorPem);
  const pin = createHash('sha256').update(authority.root.raw).digest('base64url');
  assert.equal(authority.anchorPin, pin);
  assert.ok(authority.trustAnchorsPem.startsWith(authority.anchorPem + authority.devicesCaPem));
  const device = { spki: newSpki(), tenant, deviceId: deviceId('a'), lifeMs: DAY_MS };
  const { der } = authority.issueDevice(device);
  assert.ok(new X509Certificate(der).verify(authority.devicesCa.publicKey));
  const shown = JSON.stringify(authority);
  const [first = assert.fail('no generation')] = material.generations;
  for (const { key } of [material.root, first.devices, first.servers, first.apps]) {
    assert.ok(key?.kind === 'sealed' && !shown.includes(key.pkcs8));
  }
});
