import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { Refusal } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { Secret, systemRandom } from '../kernel/index.ts';
import { DeviceRegistry } from '../registry/index.ts';
import { type IssuedClaim, issueClaim } from './claims.ts';
import type { Issued } from './issue-once.ts';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';
import { redeem } from './redeem.ts';

const MINUTE_MS = 60_000;

/** A request for a new key, by `openssl req`. */
function newRequest(curve = 'P-256'): Buffer {
  const command = `req -new -newkey ec -pkeyopt ec_paramgen_curve:${curve} -noenc -keyout /dev/null`;
  return spawnSync('openssl', [...command.split(' '), '-outform', 'DER', '-subj', '/CN=x']).stdout;
}

const csr = newRequest();
const otherCsr = newRequest();

function newClaim(lab: Lab, id = 'thermostat-1'): IssuedClaim {
  const { registry, clock, authority } = lab;
  const device = registry.byId(id) ?? present(registry.add({ id, class: 'sensor' }));
  const { anchorPin } = authority;
  const place = { host: 'localhost', port: 8444, anchorPin };
  return present(issueClaim(device, { registry, clock, random: systemRandom, ...place }));
}

function tryRedeem(
  lab: Lab,
  {
    id = 'thermostat-1',
    secret,
    request = csr,
  }: { id?: string; secret: Secret<string>; request?: Buffer },
): Issued | Refusal {
  return redeem({ deviceId: id, secret, csr: request }, lab);
}

test('a claim gives a certificate of its device, and the registry knows it', (context) => {
  const lab = openLab(context);
  const { secret } = newClaim(lab);
  const { certificateDer, isRepeated, device } = present(tryRedeem(lab, { secret }));
  const certificate = new X509Certificate(certificateDer);
  assert.equal(certificate.subjectAltName, 'URI:urn:holdfast:default:thermostat-1');
  assert.equal(isRepeated, false);
  assert.deepEqual(lab.registry.byId('thermostat-1'), device);
  assert.equal(device.state, 'claimed');
  assert.equal(device.payloadKeyGeneration, 1);
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  assert.deepEqual(lab.registry.certificate(fingerprint), {
    fingerprint,
    serial: certificate.serialNumber.toLowerCase(),
    issuerKeyId: lab.authority.issuers.find(({ role }) => role === 'devices')?.keyId,
    deviceId: 'thermostat-1',
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    status: 'current',
  });
});

test('a new enrollment supersedes the certificate before it, and renews the payload keys', (context) => {
  const lab = openLab(context);
  present(tryRedeem(lab, { secret: newClaim(lab).secret }));
  const again = present(tryRedeem(lab, { secret: newClaim(lab).secret, request: otherCsr }));
  const statuses = lab.registry.certificatesOf('thermostat-1').map(({ status }) => status);
  assert.deepEqual(statuses.toSorted(), ['current', 'superseded']);
  assert.equal(again.device.payloadKeyGeneration, 2);
});

test('the same key gets the same certificate for ten minutes, and then nothing', (context) => {
  const lab = openLab(context);
  const { secret } = newClaim(lab);
  const first = present(tryRedeem(lab, { secret }));
  lab.clock.ms += 10 * MINUTE_MS - 1;
  const again = present(tryRedeem(lab, { secret }));
  assert.ok(Buffer.from(again.certificateDer).equals(first.certificateDer));
  assert.equal(again.isRepeated, true);
  assert.equal(again.device.payloadKeyGeneration, 1);
  assert.equal(lab.registry.certificatesOf('thermostat-1').length, 1);
  lab.clock.ms += 1;
  assert.equal(codeOf(tryRedeem(lab, { secret })), 'E_ENROLL_CLAIM_USED');
});

test('another key finds the claim used, at once and later [E_ENROLL_CLAIM_USED]', (context) => {
  const lab = openLab(context);
  const { secret } = newClaim(lab);
  present(tryRedeem(lab, { secret }));
  assert.equal(codeOf(tryRedeem(lab, { secret, request: otherCsr })), 'E_ENROLL_CLAIM_USED');
  lab.clock.ms += 11 * MINUTE_MS;
  assert.equal(codeOf(tryRedeem(lab, { secret, request: otherCsr })), 'E_ENROLL_CLAIM_USED');
  assert.equal(lab.registry.certificatesOf('thermostat-1').length, 1);
});

test('a redeemed claim stays redeemed across a restart', (context) => {
  const lab = openLab(context);
  const { secret } = newClaim(lab);
  const first = present(tryRedeem(lab, { secret }));
  const restarted = { ...lab, registry: new DeviceRegistry(lab.store, lab) };
  assert.equal(codeOf(tryRedeem(restarted, { secret, request: otherCsr })), 'E_ENROLL_CLAIM_USED');
  const again = present(tryRedeem(restarted, { secret }));
  assert.ok(Buffer.from(again.certificateDer).equals(first.certificateDer));
});

test('a claim counts to the millisecond before its end [E_ENROLL_CLAIM_EXPIRED]', (context) => {
  const lab = openLab(context);
  const early = newClaim(lab, 'early');
  const late = newClaim(lab, 'late');
  lab.clock.ms = early.expiresAtMs - 1;
  present(tryRedeem(lab, { id: 'early', secret: early.secret }));
  lab.clock.ms = late.expiresAtMs;
  assert.equal(
    codeOf(tryRedeem(lab, { id: 'late', secret: late.secret })),
    'E_ENROLL_CLAIM_EXPIRED',
  );
  // A repetition counts from the redemption, not from the end of the claim.
  present(tryRedeem(lab, { id: 'early', secret: early.secret }));
});

test('unknown device, no claim, a wrong secret and a void claim are one refusal', (context) => {
  const lab = openLab(context);
  const void1 = newClaim(lab);
  const { secret } = newClaim(lab);
  present(lab.registry.add({ id: 'no-claim', class: 'sensor' }));
  const refusals = [
    tryRedeem(lab, { id: 'unknown', secret }),
    tryRedeem(lab, { id: 'no-claim', secret }),
    tryRedeem(lab, { id: 'THERMOSTAT-1', secret }),
    tryRedeem(lab, { id: '../x', secret }),
    tryRedeem(lab, { id: '', secret }),
    tryRedeem(lab, { secret: void1.secret }),
    tryRedeem(lab, { secret: new Secret('') }),
    tryRedeem(lab, { secret: new Secret(secret.expose().slice(0, -1)) }),
    tryRedeem(lab, { secret: new Secret('A'.repeat(43)) }),
    // The hash is no secret: who reads the registry cannot enroll with it.
    tryRedeem(lab, { secret: new Secret(lab.registry.claimOf('thermostat-1')?.secretHash ?? '') }),
  ];
  const [first] = refusals;
  for (const refusal of refusals) {
    assert.equal(codeOf(refusal), 'E_ENROLL_CLAIM');
    assert.deepEqual(refusal, first);
  }
  present(tryRedeem(lab, { secret }));
});

test('no other secret redeems a claim', (context) => {
  const lab = openLab(context);
  const right = Buffer.from(newClaim(lab).secret.expose(), 'base64url');
  fc.assert(
    fc.property(fc.nat(31), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const wrong = Buffer.from(right);
      wrong[at] = (wrong[at] ?? 0) ^ change;
      const secret = new Secret(wrong.toString('base64url'));
      assert.equal(codeOf(tryRedeem(lab, { secret })), 'E_ENROLL_CLAIM');
    }),
  );
});

test('a bad request does not use up the claim', (context) => {
  const lab = openLab(context);
  const { secret } = newClaim(lab);
  const code = (request: Buffer): string => codeOf(tryRedeem(lab, { secret, request }));
  assert.equal(code(Buffer.from('garbage')), 'E_ENROLL_CSR');
  assert.equal(code(newRequest('P-384')), 'E_ENROLL_KEY');
  assert.equal(
    codeOf(tryRedeem(lab, { secret: new Secret('x'), request: Buffer.from('-') })),
    'E_ENROLL_CLAIM',
  );
  present(tryRedeem(lab, { secret }));
});

test('a stopped device does not enroll, also with a good claim [E_ENROLL_STATE]', (context) => {
  const lab = openLab(context);
  present(tryRedeem(lab, { secret: newClaim(lab).secret }));
  const { secret } = newClaim(lab);
  for (const act of ['suspend', 'quarantine'] as const) {
    present(lab.registry.changeState('thermostat-1', { act, by: 'local', reason: 'test' }));
    assert.equal(codeOf(tryRedeem(lab, { secret })), 'E_ENROLL_STATE', act);
  }
});

test('revoking a device voids its claim, and the repetition of one', (context) => {
  const lab = openLab(context);
  const { secret } = newClaim(lab);
  const { device } = present(tryRedeem(lab, { secret }));
  lab.registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
  assert.equal(codeOf(tryRedeem(lab, { secret })), 'E_ENROLL_CLAIM');
});
