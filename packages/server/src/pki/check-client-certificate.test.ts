import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import {
  BasicConstraints,
  GeneralName,
  KeyUsageFlags,
  id_kp_clientAuth,
  id_kp_serverAuth,
} from '@peculiar/asn1-x509';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { openAuthority } from './authority.ts';
import { type CertificateTemplate, signCertificate, spkiOf } from './certificate.ts';
import { checkClientCertificate } from './check-client-certificate.ts';
import { createAuthority } from './generations.ts';
import {
  ManualClock,
  NOW_MS,
  codeOf,
  deviceId,
  devicesIssuer,
  newAuthority,
  tenantName,
} from './openssl.testing.ts';
import { certificatePin } from './pins.ts';
import { deviceProfile } from './profiles.ts';

const DAY_MS = 86_400_000;
const tenant = tenantName('default');
const clock = new ManualClock();
const deps = { clock, random: systemRandom };
const material = createAuthority({ ...deps, tenant });
const authority = openAuthority(material, deps);
const spki = spkiOf(softwareKeyHandle('ES256', generatePrivateKey('ES256')));
const device = { tenant, deviceId: deviceId('thermostat-1'), lifeMs: DAY_MS };

/** A certificate that the devices authority signed, with something wrong in it. */
function signedWith(changes: Partial<CertificateTemplate>): X509Certificate {
  const issuer = devicesIssuer(authority);
  const profile = { tenant, id: device.deviceId, lifeMs: DAY_MS };
  const template = deviceProfile({ spki, nowMs: NOW_MS }, profile);
  const { der } = signCertificate({ ...template, ...changes }, { issuer, random: systemRandom });
  return new X509Certificate(der);
}

function check(peer: X509Certificate, nowMs = NOW_MS): unknown {
  return checkClientCertificate(peer, { authority, tenant, nowMs });
}

function isGood(result: unknown): boolean {
  return !(result instanceof Refusal);
}

function uris(...texts: string[]): Partial<CertificateTemplate> {
  return {
    alternativeNames: texts.map((text) => new GeneralName({ uniformResourceIdentifier: text })),
  };
}

test('an operational certificate of ours names its device', () => {
  const { der, fingerprint } = authority.issueDevice({ spki, ...device });
  assert.deepEqual(check(new X509Certificate(der)), { deviceId: 'thermostat-1', fingerprint });
  assert.equal(fingerprint, certificatePin(der));
});

test('both ends of the validity count', () => {
  const { der, notBeforeMs, notAfterMs } = authority.issueDevice({ spki, ...device });
  const peer = new X509Certificate(der);
  assert.equal(codeOf(check(peer, notBeforeMs - 1)), 'E_SESSION_NOT_YET_VALID');
  assert.ok(isGood(check(peer, notBeforeMs)));
  assert.ok(isGood(check(peer, notAfterMs)));
  assert.equal(codeOf(check(peer, notAfterMs + 1)), 'E_SESSION_EXPIRED');
});

test('another authority is foreign, even one of the same names [E_SESSION_FOREIGN_CA]', () => {
  const other = newAuthority(clock);
  const { der } = other.issueDevice({ spki, ...device });
  assert.equal(codeOf(check(new X509Certificate(der))), 'E_SESSION_FOREIGN_CA');
  for (const peer of [authority.root, authority.devicesCa, authority.serversCa, other.devicesCa]) {
    assert.equal(codeOf(check(peer)), 'E_SESSION_FOREIGN_CA');
  }
});

test('a foreign certificate is foreign before it is expired', () => {
  const { der } = newAuthority(clock).issueDevice({ spki, ...device });
  assert.equal(codeOf(check(new X509Certificate(der), NOW_MS * 2)), 'E_SESSION_FOREIGN_CA');
});

test('a changed byte of the certificate makes it foreign', () => {
  const { der } = authority.issueDevice({ spki, ...device });
  const at = Buffer.from(der).lastIndexOf('thermostat-1');
  const tampered = Buffer.from(der);
  tampered.write('thermostat-2', at);
  assert.equal(codeOf(check(new X509Certificate(tampered))), 'E_SESSION_FOREIGN_CA');
});

test('a certificate for another purpose is refused [E_SESSION_PURPOSE]', () => {
  const { der } = authority.issueServer({ spki, names: ['localhost'] });
  for (const peer of [
    new X509Certificate(der),
    signedWith({ purposes: [] }),
    signedWith({ purposes: [id_kp_serverAuth] }),
    signedWith({ purposes: ['2.5.29.37.0'] }),
    signedWith({
      basicConstraints: new BasicConstraints({ cA: true }),
      keyUsage: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign,
    }),
  ]) {
    assert.equal(codeOf(check(peer)), 'E_SESSION_PURPOSE');
  }
  const both = signedWith({ purposes: [id_kp_serverAuth, id_kp_clientAuth] });
  assert.ok(isGood(check(both)));
});

test('exactly one name counts, and it is the URN of a device of this tenant', () => {
  const good = 'urn:holdfast:default:thermostat-1';
  assert.ok(isGood(check(signedWith(uris(good)))));
  for (const changes of [
    { alternativeNames: [] },
    uris(good, good),
    uris(good, 'urn:holdfast:default:other'),
    uris('urn:holdfast:other:thermostat-1'),
    uris('URN:holdfast:default:thermostat-1'),
    uris('urn:holdfast:default:thermostat-1\0'),
    uris('urn:holdfast:default:thermostat-1, URI:urn:holdfast:default:other'),
    uris('urn:holdfast:default:"thermostat-1"'),
    uris('urn:holdfast:default:thermostat-1\n'),
    uris('urn:holdfast:default:thermostat-1,DNS:x'),
    uris(`${good}, ${good}`),
    uris('', good),
    uris('urn:holdfast:default:'),
    uris(`urn:holdfast:default:${'x'.repeat(65)}`),
    { alternativeNames: [new GeneralName({ dNSName: good })] },
    { alternativeNames: [new GeneralName({ rfc822Name: good })] },
    {
      alternativeNames: [...(uris(good).alternativeNames ?? []), new GeneralName({ dNSName: 'a' })],
    },
  ]) {
    assert.equal(codeOf(check(signedWith(changes))), 'E_SESSION_PURPOSE', JSON.stringify(changes));
  }
});
