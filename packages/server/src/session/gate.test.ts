import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LifeCycleAct } from '../registry/index.ts';
import { AdmittedPeer } from './gate.ts';
import { codeOf, openLab, parsed } from './lab.testing.ts';

const clean = { chainProblem: undefined, address: '::1' };

test('an enrolled device is admitted under the name in its certificate', (t) => {
  const { enroll, gate } = openLab(t);
  const { certificate } = enroll('pump-1');
  const peer = gate.admit({ certificate, ...clean });
  assert.ok(AdmittedPeer.is(peer));
  assert.equal(peer.principal, 'pump-1');
  assert.ok(!AdmittedPeer.is(Object.assign({}, peer)), 'an object of the same shape is no proof');
});

test('no certificate is refused [E_SESSION_NO_CERTIFICATE]', (t) => {
  const { gate } = openLab(t);
  assert.equal(
    codeOf(gate.admit({ certificate: undefined, ...clean })),
    'E_SESSION_NO_CERTIFICATE',
  );
});

test('what OpenSSL found in the chain counts too [E_SESSION_FOREIGN_CA]', (t) => {
  const { enroll, gate } = openLab(t);
  const { certificate } = enroll('pump-1');
  const peer = { certificate, chainProblem: 'CERT_SIGNATURE_FAILURE', address: '::1' };
  assert.equal(codeOf(gate.admit(peer)), 'E_SESSION_FOREIGN_CA');
});

test('a certificate of another authority is refused [E_SESSION_FOREIGN_CA]', (t) => {
  const { gate } = openLab(t);
  const { certificate } = openLab(t).enroll('pump-1');
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_FOREIGN_CA');
});

test('a certificate that the registry never saw is refused [E_SESSION_UNKNOWN_CERTIFICATE]', (t) => {
  const { enroll, gate, registry } = openLab(t);
  const { certificate } = enroll('pump-1');
  registry.certificate = () => undefined;
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_UNKNOWN_CERTIFICATE');
});

test('an expired certificate is refused to the millisecond [E_SESSION_EXPIRED]', (t) => {
  const { enroll, gate, clock } = openLab(t);
  const { certificate } = enroll('pump-1');
  clock.ms = certificate.validToDate.getTime();
  assert.ok(AdmittedPeer.is(gate.admit({ certificate, ...clean })));
  clock.ms += 1;
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_EXPIRED');
});

test('a revoked device is refused, and enrolls again only with a new certificate', (t) => {
  const { enroll, gate, registry } = openLab(t);
  const { certificate, device } = enroll('pump-1');
  registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'lost' });
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_REVOKED');
  registry.changeState(device.id, { act: 'readmit', by: 'local', reason: 'found' });
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_REVOKED');
  const { certificate: next } = enroll('pump-1');
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: next, ...clean })));
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_REVOKED');
});

test('the older certificate of a device is refused [E_SESSION_SUPERSEDED]', (t) => {
  const { enroll, gate } = openLab(t);
  const { certificate } = enroll('pump-1');
  enroll('pump-1');
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_SUPERSEDED');
});

test('a device in any other state than claimed or active is refused [E_SESSION_STATE]', (t) => {
  const { enroll, gate, registry } = openLab(t);
  const { certificate, device } = enroll('pump-1');
  const change = (act: LifeCycleAct) =>
    parsed(registry.changeState(device.id, { act, by: 'local', reason: 'test' }));
  for (const [stop, lift] of [
    ['quarantine', 'release'],
    ['suspend', 'resume'],
  ] as const) {
    change(stop);
    assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_STATE', stop);
    change(lift);
    assert.ok(AdmittedPeer.is(gate.admit({ certificate, ...clean })), lift);
  }
  change('retire');
  assert.equal(codeOf(gate.admit({ certificate, ...clean })), 'E_SESSION_REVOKED');
});
