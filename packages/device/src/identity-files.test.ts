/** Renewal on a disk whose power fails: after every step the bundle can be used. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type EstServer, fingerprintOf, startEst } from '../test-support/est-server.ts';
import { testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { issue, testPki } from '../test-support/test-pki.ts';
import { type Bundle, loadBundle } from './bundle.ts';
import { type DeviceIdentity, type FileSteps, fileSteps } from './identity-files.ts';
import { IdentitySwitch } from './identity-switch.ts';
import { requestRenewal } from './renewal.ts';

const PKI = testPki();

async function lab(t: TestContext): Promise<{ est: EstServer; bundle: Bundle }> {
  const est = await startEst(t, PKI);
  const folder = join(testFolder(t), 'bundle');
  const bundle = writeTestBundle(folder, { pki: PKI, port: 1, enrollmentPort: est.port });
  return { est, bundle };
}

class PowerLoss extends Error {}

/** Steps that work until the n-th one; it is lost before or after it took effect. */
function failingAt(n: number, when: 'before' | 'after'): FileSteps & { count: number } {
  const steps = { ...fileSteps, count: 0 };
  const step = <A extends unknown[]>(run: (...args: A) => void) => {
    return (...args: A): void => {
      steps.count += 1;
      const isLost = steps.count === n;
      if (isLost && when === 'before') throw new PowerLoss();
      run(...args);
      if (isLost) throw new PowerLoss();
    };
  };
  return Object.assign(steps, {
    write: step(fileSteps.write),
    rename: step(fileSteps.rename),
    remove: step(fileSteps.remove),
  });
}

/** A renewal from the request to the switch. */
async function renewAll(bundle: Bundle, files: FileSteps): Promise<IdentitySwitch> {
  const identities = new IdentitySwitch(bundle, files);
  identities.update({ next: await requestRenewal(bundle, files) });
  assert.equal(identities.accepted(identities.choose(Date.now())), 'switched');
  return identities;
}

function certificateIn(folder: string): string {
  return readFileSync(join(folder, 'client.crt'), 'utf8');
}

const STEPS_OF_A_RENEWAL = 4;

test('a renewal takes four steps on the disk, and leaves a new key and nothing else', async (t) => {
  const { est, bundle } = await lab(t);
  const before = readdirSync(bundle.folder).toSorted();
  const steps = failingAt(Number.NaN, 'before');
  const { bundle: renewed } = await renewAll(bundle, steps);
  assert.equal(steps.count, STEPS_OF_A_RENEWAL);
  const loaded = loadBundle(bundle.folder);
  assert.equal(loaded.certificate.fingerprint256, renewed.certificate.fingerprint256);
  assert.notEqual(loaded.certificate.fingerprint256, bundle.certificate.fingerprint256);
  assert.ok(!loaded.signer.publicKey.equals(bundle.signer.publicKey));
  assert.equal(loaded.next, undefined);
  assert.equal(renewed.next, undefined);
  assert.deepEqual(readdirSync(bundle.folder).toSorted(), before);
  assert.deepEqual(est.requestedKeys, [fingerprintOf(loaded.signer.publicKey)]);
});

for (let n = 1; n <= STEPS_OF_A_RENEWAL; n += 1) {
  for (const when of ['before', 'after'] as const) {
    test(`power is lost ${when} step ${n}: the bundle works, and the renewal ends well`, async (t) => {
      const { est, bundle } = await lab(t);
      await assert.rejects(renewAll(bundle, failingAt(n, when)), PowerLoss);

      const again = loadBundle(bundle.folder);
      const usable: DeviceIdentity[] = [again, ...(again.next === undefined ? [] : [again.next])];
      for (const { certificate, signer } of usable) {
        assert.ok(certificate.publicKey.equals(signer.publicKey));
      }
      const isSwitched = n === STEPS_OF_A_RENEWAL || (n === 3 && when === 'after');
      const isOld = again.certificate.fingerprint256 === bundle.certificate.fingerprint256;
      assert.equal(isOld, !isSwitched, 'the certificate before is kept until the switch');

      if (!isSwitched) await renewAll(again, fileSteps);
      const done = loadBundle(bundle.folder);
      assert.equal(done.next, undefined);
      assert.notEqual(done.certificate.fingerprint256, bundle.certificate.fingerprint256);
      assert.deepEqual(
        readdirSync(bundle.folder).filter((name) => name.includes('next')),
        [],
      );
      const keys = new Set(est.requestedKeys);
      assert.deepEqual([...keys], [fingerprintOf(done.signer.publicKey)], 'one new key for all');
    });
  }
}

test('an answer that was lost on the way is asked for again, with the same key', async (t) => {
  const { est, bundle } = await lab(t);
  est.script.status = 503;
  await assert.rejects(requestRenewal(bundle), { code: 'E_DEVICE_RENEWAL' });
  await assert.rejects(requestRenewal(loadBundle(bundle.folder)), { code: 'E_DEVICE_RENEWAL' });
  delete est.script.status;
  await requestRenewal(loadBundle(bundle.folder));
  assert.equal(est.requestedKeys.length, 3);
  assert.equal(new Set(est.requestedKeys).size, 1);
});

test('what is damaged of a next identity does not stop the device', async (t) => {
  const { bundle } = await lab(t);
  const next = await requestRenewal(bundle);
  for (const name of ['client.key.next', 'client.crt.next']) {
    const path = join(bundle.folder, name);
    const whole = readFileSync(path, 'utf8');
    for (const text of ['', 'x', whole.slice(0, 100)]) {
      writeFileSync(path, text);
      assert.equal(loadBundle(bundle.folder).next, undefined, name);
    }
    writeFileSync(path, whole);
    const found = loadBundle(bundle.folder).next;
    assert.equal(found?.certificate.fingerprint256, next.certificate.fingerprint256);
  }
  // A certificate for another key is no half of anything.
  const other = issue({ name: 'thermostat-1', issuer: PKI.issuer, purpose: 'client' });
  writeFileSync(join(bundle.folder, 'client.crt.next'), other.pem);
  assert.equal(loadBundle(bundle.folder).next, undefined);
});

test('a key that is not of its certificate is an error, with or without a rest of a renewal', async (t) => {
  const { bundle } = await lab(t);
  const before = certificateIn(bundle.folder);
  const other = issue({ name: 'thermostat-1', issuer: PKI.issuer, purpose: 'client' });
  writeFileSync(join(bundle.folder, 'client.key'), other.keyPem);
  assert.throws(() => loadBundle(bundle.folder), { code: 'E_DEVICE_BUNDLE' });
  const third = issue({ name: 'thermostat-1', issuer: PKI.issuer, purpose: 'client' });
  writeFileSync(join(bundle.folder, 'client.crt.next'), third.pem);
  assert.throws(() => loadBundle(bundle.folder), { code: 'E_DEVICE_BUNDLE' });
  assert.equal(certificateIn(bundle.folder), before);
});

test('the renewed certificate is tried first; after refusals the one before, once', async (t) => {
  const { bundle } = await lab(t);
  const identities = new IdentitySwitch(bundle);
  const next = await requestRenewal(bundle);
  identities.update({ next });
  const choose = () => (identities.choose(Date.now()) === next ? 'next' : 'old');
  const chosen: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    const identity = identities.choose(Date.now());
    chosen.push(identity === next ? 'next' : 'old');
    identities.refused(identity, 'E_DEVICE_REFUSED');
  }
  assert.deepEqual(chosen, ['next', 'next', 'next', 'old', 'next', 'next', 'next', 'old']);
  for (let n = 0; n < 5; n += 1) {
    // A network that is down says nothing about certificates.
    identities.refused(next, 'E_DEVICE_UNREACHABLE');
    assert.equal(choose(), 'next');
  }
  // An expired certificate is of no use any more.
  const expiredMs = bundle.certificate.validToDate.getTime() + 1;
  for (let n = 0; n < 5; n += 1) {
    identities.refused(next, 'E_DEVICE_REFUSED');
    assert.equal(identities.choose(expiredMs), next);
  }
});

test('a server that accepts the certificate before does not know the renewed one', async (t) => {
  const { bundle } = await lab(t);
  const identities = new IdentitySwitch(bundle);
  identities.update({ next: await requestRenewal(bundle) });
  assert.equal(identities.accepted(bundle), 'discarded');
  assert.equal(identities.bundle.next, undefined);
  assert.ok(!existsSync(join(bundle.folder, 'client.crt.next')));
  assert.ok(!existsSync(join(bundle.folder, 'client.key.next')));
  assert.equal(identities.accepted(bundle), 'unchanged');
  const { certificate } = loadBundle(bundle.folder);
  assert.equal(certificate.fingerprint256, bundle.certificate.fingerprint256);
});
