import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { Refusal, parseDeviceId, parseTenantName, refuse } from '@holdfast/protocol';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { checkClientCertificate } from '../pki/index.ts';
import { AdmittedPeer, Gate } from './gate.ts';
import { codeOf, openLab, parsed } from './lab.testing.ts';

const clean = { chainProblem: undefined, address: '::1' };
const tenant = parsed(parseTenantName('default'));

/** A device with a certificate in use, and a pending one. */
function openRenewed(t: TestContext) {
  const lab = openLab(t);
  const { registry, authority, clock } = lab;
  const { certificate: old, device } = lab.enroll('pump-1');
  const { publicKey } = softwareKeyHandle('ES256', generatePrivateKey('ES256'));
  const { der, ...facts } = authority.issueDevice({
    spki: publicKey.export({ format: 'der', type: 'spki' }),
    tenant,
    deviceId: parsed(parseDeviceId('pump-1')),
    lifeMs: 86_400_000,
  });
  const record = { ...facts, deviceId: 'pump-1', status: 'pending' } as const;
  registry.renew(device, { certificate: record });
  const used: string[] = [];
  const gate = new Gate({
    registry,
    check: (certificate, nowMs = clock.nowMs()) =>
      checkClientCertificate(certificate, { authority, tenant, nowMs }),
    onFirstUse: ({ fingerprint }) => used.push(fingerprint),
  });
  return { ...lab, gate, old, next: new X509Certificate(der), used };
}

test('to be admitted is the first use of a pending certificate, which is told once', (t) => {
  const { gate, next, old, registry, used } = openRenewed(t);
  const seen: string[] = [];
  const oldFingerprint = old.fingerprint256.replaceAll(':', '').toLowerCase();
  registry.onChange(({ id }) => {
    const refusal = gate.recheck({ principal: id, fingerprint: oldFingerprint });
    seen.push(refusal?.code ?? 'none');
  });
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: old, ...clean })));
  assert.deepEqual(used, []);
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: next, ...clean })));
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: next, ...clean })));
  assert.equal(used.length, 1);
  assert.deepEqual(seen, ['E_SESSION_SUPERSEDED'], 'who is connected by the old one is told');
  assert.equal(codeOf(gate.admit({ certificate: old, ...clean })), 'E_SESSION_SUPERSEDED');
});

test('a pending certificate that is refused for another reason is not used', (t) => {
  const { gate, next, old, registry, used } = openRenewed(t);
  const foreign = { certificate: next, chainProblem: 'CERT_SIGNATURE_FAILURE', address: '::1' };
  assert.equal(codeOf(gate.admit(foreign)), 'E_SESSION_FOREIGN_CA');
  registry.changeState('pump-1', { act: 'quarantine', by: 'server', reason: 'test' });
  assert.equal(codeOf(gate.admit({ certificate: next, ...clean })), 'E_SESSION_STATE');
  registry.changeState('pump-1', { act: 'release', by: 'local', reason: 'test' });
  assert.deepEqual(used, []);
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: old, ...clean })));
});

test('a first use that cannot be stored admits nobody [E_JOURNAL_UNAVAILABLE]', (t) => {
  const { gate, next, old, registry, used } = openRenewed(t);
  const real = registry.useCertificate.bind(registry);
  registry.useCertificate = () => {
    throw new Error('disk full');
  };
  assert.equal(codeOf(gate.admit({ certificate: next, ...clean })), 'E_JOURNAL_UNAVAILABLE');
  assert.deepEqual(used, []);
  registry.useCertificate = real;
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: old, ...clean })), 'the old one goes on');
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: next, ...clean })));
});

test('an examined peer is told apart whatever became of it, and is admitted by nothing', (t) => {
  const { gate, next, old, clock } = openRenewed(t);
  const examined = (certificate: X509Certificate, chainProblem?: string): string => {
    const found = gate.examine({ certificate, chainProblem, address: '::1' });
    return found instanceof Refusal ? found.code : `${found.deviceId} ${found.record.status}`;
  };
  assert.equal(examined(old), 'pump-1 current');
  assert.equal(examined(next), 'pump-1 pending');
  gate.admit({ certificate: next, ...clean });
  assert.equal(examined(old), 'pump-1 superseded');
  assert.equal(examined(old, 'CERT_HAS_EXPIRED'), 'E_SESSION_FOREIGN_CA', 'it has not, for us');
  clock.ms = next.validToDate.getTime() + 1;
  assert.equal(codeOf(gate.admit({ certificate: next, ...clean })), 'E_SESSION_EXPIRED');
  assert.equal(examined(next), 'pump-1 current');
  assert.equal(examined(next, 'CERT_HAS_EXPIRED'), 'pump-1 current');
  assert.equal(examined(next, 'CERT_SIGNATURE_FAILURE'), 'E_SESSION_FOREIGN_CA');
  assert.ok(!AdmittedPeer.is(gate.examine({ certificate: next, ...clean })));
});

test('what is none of ours is not examined, ended or not', (t) => {
  const { gate, clock } = openRenewed(t);
  const { certificate } = openLab(t).enroll('pump-1');
  const none = gate.examine({ certificate: undefined, ...clean });
  assert.equal(codeOf(none), 'E_SESSION_NO_CERTIFICATE');
  assert.equal(codeOf(gate.examine({ certificate, ...clean })), 'E_SESSION_FOREIGN_CA');
  clock.ms = certificate.validToDate.getTime() + 1;
  const ended = { certificate, chainProblem: 'CERT_HAS_EXPIRED', address: '::1' };
  assert.equal(codeOf(gate.examine(ended)), 'E_SESSION_FOREIGN_CA');
});

test('whoever still owes its API key has not used its certificate', (t) => {
  const { registry, authority, clock, old, next, used } = openRenewed(t);
  const gate = new Gate({
    registry,
    check: (certificate, nowMs = clock.nowMs()) =>
      checkClientCertificate(certificate, { authority, tenant, nowMs }),
    onFirstUse: ({ fingerprint }) => used.push(fingerprint),
    secondFactor: { recheck: () => refuse('E_SESSION_API_KEY', 'none shown') },
  });
  const peer = parsed(gate.admit({ certificate: next, ...clean }));
  assert.deepEqual(used, []);
  assert.ok(AdmittedPeer.is(gate.admit({ certificate: old, ...clean })), 'the old one goes on');
  assert.equal(gate.use(peer), undefined);
  assert.deepEqual(used, [peer.fingerprint]);
  assert.equal(codeOf(gate.admit({ certificate: old, ...clean })), 'E_SESSION_SUPERSEDED');
});
