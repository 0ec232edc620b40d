import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseDeviceId } from '@holdfast/protocol';
import { systemRandom } from '../kernel/index.ts';
import {
  type Authority,
  type OcspRequest,
  OCSP_ERRORS,
  certificatePem,
  createAuthority,
  openAuthority,
  parseOcspRequest,
} from '../pki/index.ts';
import type { CertificateRecord } from '../registry/index.ts';
import { type Lab, openLab, present } from './lab.testing.ts';
import { Revocations } from './revocations.ts';

/** Two generations of the devices authority, and what each has issued. */
interface TwoGenerations extends Lab {
  readonly older: Authority;
  readonly newer: Authority;
  readonly revocations: Revocations;
  /** Issuers that are trusted, the one that issues now first. */
  readonly trusted: Authority[];
  issue(authority: Authority, id: string): CertificateRecord;
  openssl(args: string): string;
  request(authority: Authority, ...ids: readonly string[]): OcspRequest;
}

function openTwo(context: TestContext): TwoGenerations {
  const lab = openLab(context);
  const { registry, clock, tenant, folder } = lab;
  const deps = { clock, random: systemRandom, tenant };
  const older = lab.authority;
  const newer = openAuthority(createAuthority(deps), deps);
  const trusted = [newer, older];
  const revocations = new Revocations({
    registry,
    clock,
    authority: { devicesIssuers: () => trusted.flatMap((one) => one.devicesIssuers()) },
    enrollUrl: () => 'https://hub.example.org:8444',
  });
  const openssl = (args: string): string => {
    const { status, stderr, stdout } = spawnSync('openssl', args.split(' '), { cwd: folder });
    assert.equal(status, 0, stderr.toString());
    return `${stdout.toString()}${stderr.toString()}`;
  };
  return {
    ...lab,
    older,
    newer,
    trusted,
    revocations,
    openssl,
    issue(authority, id) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      const deviceId = present(parseDeviceId(id));
      const issued = authority.issueDevice({ spki, tenant, deviceId, lifeMs: 86_400_000 });
      const { der, ...facts } = issued;
      writeFileSync(join(folder, `${id}.pem`), certificatePem(der));
      const device = registry.byId(id) ?? present(registry.add({ id, class: 'sensor' }));
      const certificate = { ...facts, deviceId: id, status: 'current' as const };
      registry.completeEnrollment(device, {
        certificate,
        claim: { deviceId: id, secretHash: '', expiresAtMs: 0 },
      });
      return certificate;
    },
    request(authority, ...ids) {
      writeFileSync(join(folder, 'ca.pem'), authority.devicesCaPem);
      writeFileSync(join(folder, 'root.pem'), authority.anchorPem);
      const certs = ids.map((id) => `-cert ${id}.pem`).join(' ');
      openssl(`ocsp -issuer ca.pem ${certs} -reqout request.der`);
      return present(parseOcspRequest(readFileSync(join(folder, 'request.der'))));
    },
  };
}

function revoke({ registry }: Lab, id: string, act: 'revoke' | 'retire' = 'revoke'): void {
  present(registry.changeState(id, { act, by: 'local', reason: 'stolen' }));
}

function labelOf({ issuerKeyId }: CertificateRecord): string {
  return issuerKeyId?.slice(0, 8) ?? assert.fail('an issuer');
}

test('each generation lists what it has issued; without a name, the one that issues now', (t) => {
  const lab = openTwo(t);
  const { revocations } = lab;
  const [old, young] = [lab.issue(lab.older, 'old'), lab.issue(lab.newer, 'young')];
  revoke(lab, 'old');
  assert.equal(revocations.crl({})?.count, 0);
  assert.equal(revocations.crl({})?.issuer, labelOf(young));
  assert.equal(revocations.crl({ issuer: labelOf(old) })?.count, 1);
  revoke(lab, 'young');
  lab.clock.ms += 1_000;
  assert.equal(revocations.crl({})?.count, 1);
  assert.equal(revocations.crl({ issuer: '00000000' }), undefined);
  lab.trusted.pop();
  assert.equal(revocations.crl({ issuer: labelOf(old) }), undefined, 'it is trusted no more');
});

test('what was revoked before the start is listed', (t) => {
  const lab = openTwo(t);
  lab.issue(lab.newer, 'young');
  revoke(lab, 'young');
  const { registry, clock, newer: authority } = lab;
  const again = new Revocations({ registry, clock, authority, enrollUrl: () => '' });
  assert.equal(again.crl({})?.count, 1);
});

test('a record that does not say who issued is of the oldest generation', (t) => {
  const lab = openTwo(t);
  const { issuerKeyId, ...record } = lab.issue(lab.older, 'old');
  const device = lab.registry.byId('old') ?? assert.fail('a device');
  lab.registry.completeEnrollment(device, {
    certificate: record,
    claim: { deviceId: 'old', secretHash: '', expiresAtMs: 0 },
  });
  revoke(lab, 'old');
  assert.equal(lab.revocations.crl({ issuer: issuerKeyId?.slice(0, 8) })?.count, 1);
  assert.equal(lab.revocations.crl({})?.count, 0);
});

test('an OCSP answer is signed by the issuer that is asked about', (t) => {
  const lab = openTwo(t);
  const { folder, revocations } = lab;
  lab.issue(lab.older, 'old');
  lab.issue(lab.newer, 'young');
  revoke(lab, 'old');
  const verdict = (id: string): string => {
    writeFileSync(join(folder, 'answer.der'), answer);
    return lab.openssl(
      `ocsp -no_nonce -reqin request.der -respin answer.der -issuer ca.pem -cert ${id}.pem ` +
        '-CAfile root.pem',
    );
  };
  let answer = revocations.ocsp(lab.request(lab.older, 'old'));
  assert.match(verdict('old'), /old\.pem: revoked/u);
  answer = revocations.ocsp(lab.request(lab.newer, 'young'));
  assert.match(verdict('young'), /young\.pem: good/u);
  // A certificate of one issuer under the name of the other was never issued by that one.
  answer = revocations.ocsp(lab.request(lab.newer, 'old'));
  assert.match(verdict('old'), /old\.pem: unknown/u);
  const request = lab.request(lab.older, 'old');
  lab.trusted.pop();
  assert.equal(revocations.ocsp(request), OCSP_ERRORS.unauthorized);
});

test('a retired device has ended its operation', (t) => {
  const lab = openTwo(t);
  const { folder } = lab;
  lab.issue(lab.newer, 'a');
  revoke(lab, 'a', 'retire');
  writeFileSync(join(folder, 'list.crl'), lab.revocations.crl({})?.der ?? '');
  const text = lab.openssl('crl -inform DER -in list.crl -noout -text');
  assert.match(text, /Cessation Of Operation/u);
});

test('a renewed certificate that is not used yet is good', (t) => {
  const lab = openTwo(t);
  const first = lab.issue(lab.newer, 'a');
  const device = lab.registry.byId('a') ?? assert.fail('a device');
  const { fingerprint } = first;
  lab.registry.renew(device, {
    certificate: { ...lab.issue(lab.newer, 'b'), deviceId: 'a', status: 'pending' },
  });
  assert.equal(lab.registry.certificate(fingerprint)?.status, 'current');
  assert.equal(lab.revocations.crl({})?.count, 0, 'neither the old one nor the new one has ended');
});
