import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { systemRandom } from '../kernel/index.ts';
import { checkClientCertificate } from '../pki/index.ts';
import {
  DEVICE_CLASSES,
  type Device,
  type DeviceClassName,
  DeviceRegistry,
  type LifeCycleAct,
} from '../registry/index.ts';
import { Gate } from '../session/index.ts';
import { issueClaim } from './claims.ts';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';
import { SUPERSEDED_PATIENCE_MS } from './limits.ts';
import { redeem } from './redeem.ts';
import { type Renewed, type RenewingPeer, renew } from './renew.ts';

const DAY_MS = 86_400_000;

/** A request for a new key, by `openssl req`. */
function newRequest(curve = 'P-256'): Buffer {
  const command = `req -new -newkey ec -pkeyopt ec_paramgen_curve:${curve} -noenc -keyout /dev/null`;
  return spawnSync('openssl', [...command.split(' '), '-outform', 'DER', '-subj', '/CN=x']).stdout;
}

const [firstCsr, secondCsr, thirdCsr] = [newRequest(), newRequest(), newRequest()];

/** A device of a class that has just enrolled, and how its peer looks to the gate. */
function enrolled(lab: Lab, className: DeviceClassName = 'sensor', id = 'pump-1') {
  const { registry, clock, authority } = lab;
  const added = present(registry.add({ id, class: className }));
  const place = { host: 'localhost', port: 8444, anchorPin: authority.anchorPin };
  const claim = present(issueClaim(added, { registry, clock, random: systemRandom, ...place }));
  const request = { deviceId: id, secret: claim.secret, csr: firstCsr };
  const issued = present(redeem(request, lab));
  const device = change(lab, 'activate', id);
  return { device, certificate: new X509Certificate(issued.certificateDer) };
}

function change({ registry }: Lab, act: LifeCycleAct, id = 'pump-1'): Device {
  return present(registry.changeState(id, { act, by: 'local', reason: 'test' }));
}

function gateOf({ registry, authority, tenant, clock }: Lab): Gate {
  return new Gate({
    registry,
    check: (certificate, nowMs = clock.nowMs()) =>
      checkClientCertificate(certificate, { authority, tenant, nowMs }),
  });
}

function examine(lab: Lab, certificate: X509Certificate): RenewingPeer {
  const peer = { certificate, chainProblem: undefined, address: '::1' };
  return present(gateOf(lab).examine(peer));
}

/** Shows a certificate to the gate, as a connection does. */
function use(lab: Lab, certificate: X509Certificate): unknown {
  return gateOf(lab).admit({ certificate, chainProblem: undefined, address: '::1' });
}

function tryRenew(
  lab: Lab,
  certificate: X509Certificate,
  csr: Buffer = secondCsr,
): Renewed | Refusal {
  return renew(examine(lab, certificate), csr, { ...lab, count: () => undefined });
}

function renewed(lab: Lab, certificate: X509Certificate, csr: Buffer = secondCsr): X509Certificate {
  return new X509Certificate(present(tryRenew(lab, certificate, csr)).certificateDer);
}

function statuses(lab: Lab): Record<string, string> {
  const records = lab.registry.certificatesOf('pump-1');
  return Object.fromEntries(records.map(({ fingerprint, status }) => [fingerprint, status]));
}

function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

test('both certificates count until the new one is used; then the old one is superseded', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const next = renewed(lab, certificate);
  assert.equal(next.subjectAltName, 'URI:urn:holdfast:default:pump-1');
  const [old, fresh] = [fingerprintOf(certificate), fingerprintOf(next)];
  assert.deepEqual(statuses(lab), { [old]: 'current', [fresh]: 'pending' });
  assert.ok(!(use(lab, certificate) instanceof Refusal), 'the old one still gets in');
  assert.deepEqual(statuses(lab), { [old]: 'current', [fresh]: 'pending' });
  assert.ok(!(use(lab, next) instanceof Refusal));
  assert.deepEqual(statuses(lab), { [old]: 'superseded', [fresh]: 'current' });
  assert.equal(codeOf(use(lab, certificate)), 'E_SESSION_SUPERSEDED');
  assert.equal(lab.registry.byId('pump-1')?.payloadKeyGeneration, 1, 'payload keys stay');
});

test('what is kept for a pending certificate is forgotten with its first use, for good', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const next = renewed(lab, certificate);
  const restarted = new DeviceRegistry(lab.store, lab);
  assert.ok(restarted.certificate(fingerprintOf(next))?.pending !== undefined);
  use(lab, next);
  const again = new DeviceRegistry(lab.store, lab);
  assert.equal(again.certificate(fingerprintOf(next))?.pending, undefined);
  assert.equal(again.certificate(fingerprintOf(next))?.status, 'current');
  assert.equal(again.certificate(fingerprintOf(certificate))?.status, 'superseded');
});

test('the same key gets the same certificate until it is used, also after a restart', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const first = present(tryRenew(lab, certificate));
  lab.clock.ms += 10 * DAY_MS;
  const restarted = { ...lab, registry: new DeviceRegistry(lab.store, lab) };
  const again = present(tryRenew(restarted, certificate));
  assert.ok(Buffer.from(again.certificateDer).equals(first.certificateDer));
  assert.deepEqual([first.isRepeated, again.isRepeated], [false, true]);
  assert.equal(lab.registry.certificatesOf('pump-1').length, 2);
});

test('another key replaces the pending certificate, which counts no more', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const lost = renewed(lab, certificate, secondCsr);
  const next = renewed(lab, certificate, thirdCsr);
  assert.equal(codeOf(use(lab, lost)), 'E_SESSION_SUPERSEDED');
  assert.ok(!(use(lab, next) instanceof Refusal));
});

test('the present key is refused, and the request of a bad one, in words [E_ENROLL_KEY]', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const same = tryRenew(lab, certificate, firstCsr);
  assert.equal(codeOf(same), 'E_ENROLL_KEY');
  assert.match((same as Refusal).detail, /make a new one/u);
  assert.equal(codeOf(tryRenew(lab, certificate, newRequest('P-384'))), 'E_ENROLL_KEY');
  assert.equal(codeOf(tryRenew(lab, certificate, Buffer.from('garbage'))), 'E_ENROLL_CSR');
  assert.equal(lab.registry.certificatesOf('pump-1').length, 1);
});

test('renewing from a superseded certificate is a clone, but not for its last minute', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  use(lab, renewed(lab, certificate));
  lab.clock.ms += SUPERSEDED_PATIENCE_MS - 1;
  assert.equal(codeOf(tryRenew(lab, certificate, thirdCsr)), 'E_SESSION_SUPERSEDED');
  lab.clock.ms += 1;
  assert.equal(codeOf(tryRenew(lab, certificate, thirdCsr)), 'E_ENROLL_CLONE');
  // The clone may have waited for the end of the certificate.
  lab.clock.ms = certificate.validToDate.getTime() + DAY_MS;
  assert.equal(codeOf(tryRenew(lab, certificate, thirdCsr)), 'E_ENROLL_CLONE');
});

for (const [className, days] of [
  ['sensor', 180],
  ['gateway', 30],
] as const) {
  test(`a ${className} renews for ${days} days after its end, into quarantine`, (t) => {
    const lab = openLab(t);
    const { certificate } = enrolled(lab, className);
    const end = certificate.validToDate.getTime();
    assert.equal(DEVICE_CLASSES[className].renewalGraceMs, days * DAY_MS);
    lab.clock.ms = end + days * DAY_MS + 1;
    assert.equal(codeOf(tryRenew(lab, certificate)), 'E_ENROLL_GRACE');
    assert.equal(lab.registry.byId('pump-1')?.state, 'active');
    lab.clock.ms = end + days * DAY_MS;
    const result = present(tryRenew(lab, certificate));
    assert.ok(result.isQuarantined);
    assert.equal(lab.registry.byId('pump-1')?.state, 'quarantined');
    const next = new X509Certificate(result.certificateDer);
    assert.equal(codeOf(use(lab, next)), 'E_SESSION_STATE');
    // The answer was lost: the same key gets the same certificate, another one nothing.
    const again = present(tryRenew(lab, certificate));
    assert.ok(Buffer.from(again.certificateDer).equals(result.certificateDer));
    assert.equal(codeOf(tryRenew(lab, certificate, thirdCsr)), 'E_ENROLL_STATE');
    change(lab, 'release');
    assert.equal(lab.registry.byId('pump-1')?.state, 'active');
    assert.ok(!(use(lab, next) instanceof Refusal), 'released, it gets in');
  });
}

test('to the last millisecond of the certificate it is a renewal as any other', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  lab.clock.ms = certificate.validToDate.getTime();
  assert.equal(present(tryRenew(lab, certificate)).isQuarantined, false);
});

test('a pending certificate that ended before its first use is used by its renewal', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const next = renewed(lab, certificate);
  lab.clock.ms = next.validToDate.getTime() + DAY_MS;
  const last = renewed(lab, next, thirdCsr);
  assert.deepEqual(statuses(lab), {
    [fingerprintOf(certificate)]: 'superseded',
    [fingerprintOf(next)]: 'current',
    [fingerprintOf(last)]: 'pending',
  });
});

test('a stopped device does not renew, a revoked one even less', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  for (const act of ['suspend', 'quarantine'] as const) {
    change(lab, act);
    assert.equal(codeOf(tryRenew(lab, certificate)), 'E_ENROLL_STATE', act);
  }
  change(lab, 'revoke');
  assert.equal(codeOf(tryRenew(lab, certificate)), 'E_SESSION_REVOKED');
  change(lab, 'readmit');
  assert.equal(codeOf(tryRenew(lab, certificate)), 'E_SESSION_REVOKED', 'its certificate stays so');
  assert.equal(lab.registry.certificatesOf('pump-1').length, 1);
});

test('what has changed while the request arrived is seen', (t) => {
  const lab = openLab(t);
  const { certificate, device } = enrolled(lab);
  const peer = examine(lab, certificate);
  lab.registry.revokeCertificates([peer.record], 'stolen');
  assert.equal(lab.registry.byId('pump-1')?.state, device.state);
  const late = renew(peer, secondCsr, { ...lab, count: () => undefined });
  assert.equal(codeOf(late), 'E_SESSION_REVOKED');
});

test('an operator sets the grace of a class: to its last millisecond, and for none at all', (t) => {
  const lab = openLab(t);
  const { certificate } = enrolled(lab);
  const endMs = certificate.validToDate.getTime();
  for (const renewalGraceMs of [0, DAY_MS]) {
    lab.classSettings.set('sensor', { renewalGraceMs });
    lab.clock.ms = endMs + renewalGraceMs + 1;
    assert.equal(codeOf(tryRenew(lab, certificate)), 'E_ENROLL_GRACE');
  }
  lab.clock.ms = endMs + DAY_MS;
  assert.equal(present(tryRenew(lab, certificate)).isQuarantined, true);
});
