/** A device that renews by itself, against a broker and an EST server on loopback. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type DeviceLabOptions, deviceLab } from '../test-support/device-lab.ts';
import { signed } from '../test-support/scripted-broker.ts';
import { issue, pinsOf, testPki } from '../test-support/test-pki.ts';
import { loadBundle } from './bundle.ts';
import { connect } from './device.ts';
import { renewalDueMs } from './renewal-time.ts';

const PKI = testPki();
const MINUTE = 60_000;

async function onlineLab(t: TestContext, options: DeviceLabOptions = {}) {
  const lab = await deviceLab(t, PKI, options);
  await lab.next('online');
  const { bundle, clock } = lab;
  const dueInMs = renewalDueMs(bundle.device, bundle.certificate) - clock.nowMs();
  return { ...lab, dueInMs };
}

test('at two thirds of its life a certificate is renewed, and the device connects by the new one', async (t) => {
  const { est, bundle, clock, device, dueInMs, event, shown } = await onlineLab(t);
  clock.advance(dueInMs - 1);
  assert.deepEqual(est.requestedKeys, []);
  clock.advance(1);
  const { validTo } = await event('renewed');
  const loaded = loadBundle(bundle.folder);
  assert.equal(validTo.getTime(), loaded.certificate.validToDate.getTime());
  assert.deepEqual(shown(), [bundle.certificate.fingerprint256, loaded.certificate.fingerprint256]);
  assert.equal(est.requestedKeys.length, 1);
  await device.publish({ n: 1 });
});

test('what is unacknowledged at a renewal is sent again by the new connection', async (t) => {
  const { broker, device, event } = await onlineLab(t, { broker: { acknowledges: false } });
  const published = [1, 2].map((n) => device.publish({ n }));
  await broker.packet('publish', () => broker.publishes().length === 2);
  broker.script.acknowledges = true;
  await device.renewNow();
  await event('renewed');
  await Promise.all(published);
  const [first, second] = broker.connections;
  assert.equal(broker.publishes(first).length, 2);
  assert.deepEqual(
    broker.publishes(second).map(({ dup }) => dup),
    [true, true],
  );
});

test('failed renewals are told, pause longer each time, and go on after the certificate expired', async (t) => {
  const { est, bundle, clock, dueInMs, events, event } = await onlineLab(t, {
    est: { status: 500 },
  });
  const expiresMs = bundle.certificate.validToDate.getTime();
  clock.advance(dueInMs);
  const pauses: number[] = [];
  while (clock.nowMs() < expiresMs + 10 * 3_600_000) {
    const { error, retryInMs } = await event('renewal-failed');
    assert.equal(error.code, 'E_DEVICE_RENEWAL');
    pauses.push(retryInMs / MINUTE);
    events.length = 0;
    clock.advance(retryInMs);
  }
  await event('renewal-failed');
  assert.deepEqual(
    pauses,
    [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 180, 180, 180].slice(0, pauses.length),
  );
  assert.ok(pauses.length > 10);
  delete est.script.status;
  clock.advance(180 * MINUTE);
  await event('renewed');
});

test('a renewed certificate that is refused gives way to the one before, and is asked for anew', async (t) => {
  const { est, bundle, clock, device, broker, next, shown } = await onlineLab(t);
  broker.script.connackCode = 5;
  await device.renewNow();
  for (let n = 0; n < 3; n += 1) {
    const status = await next('offline');
    assert.ok(status.state === 'offline' && status.error.code === 'E_DEVICE_REFUSED');
    if (n === 2) broker.script.connackCode = 0;
    clock.advance(status.retryInMs);
  }
  await next('online');
  const old = bundle.certificate.fingerprint256;
  assert.deepEqual(
    shown().map((fingerprint) => fingerprint === old),
    [true, false, false, false, true],
  );
  const loaded = loadBundle(bundle.folder);
  assert.equal(loaded.certificate.fingerprint256, old);
  assert.equal(loaded.next, undefined);
  await device.renewNow();
  assert.equal(new Set(est.requestedKeys).size, 2);
});

test('a device that was switched off before its first connection begins with the new certificate', async (t) => {
  const { broker, bundle, clock, device, shown } = await onlineLab(t);
  broker.script.answersConnect = false;
  await device.renewNow();
  await device.close();
  const { next } = loadBundle(bundle.folder);
  assert.ok(next !== undefined);
  broker.script.answersConnect = true;
  const again = connect({ bundle: bundle.folder, clock });
  t.after(() => again.close());
  await again.publish({ n: 1 });
  assert.equal(shown().at(-1), next.certificate.fingerprint256);
  const loaded = loadBundle(bundle.folder);
  assert.equal(loaded.certificate.fingerprint256, next.certificate.fingerprint256);
  assert.equal(loaded.next, undefined);
});

test('the pin set is fetched within an hour, then each day, and the new pins are used', async (t) => {
  const notAfterMs = Date.now() + 10 * 86_400_000;
  const { est, bundle, clock, broker, device, event, next } = await onlineLab(t, { notAfterMs });
  const twin = issue({ name: 'twin', issuer: PKI.issuer, hosts: ['localhost'], purpose: 'server' });
  const pins = [pinsOf(PKI.server), { spki: pinsOf(twin).spki }];
  est.script.pins = signed(bundle.commandKey, { version: 1, pins, notBefore: 0 });
  clock.advance(30 * MINUTE);
  assert.deepEqual(await event('pins-updated'), { type: 'pins-updated', version: 1, pins });
  assert.deepEqual(loadBundle(bundle.folder).pins, pins);
  assert.equal(loadBundle(bundle.folder).pinsVersion, 1);
  // The connection that stands was pinned when it was made; the next one knows both pins.
  broker.connections[0]?.socket.destroy();
  const status = await next('offline');
  clock.advance(status.state === 'offline' ? status.retryInMs : 0);
  await next('online');
  await device.publish({ n: 1 });
});

test('by hand: both calls tell what went wrong, and need to know the listener', async (t) => {
  const { bundle, device, events } = await onlineLab(t, { est: { status: 403 } });
  await assert.rejects(device.renewNow(), { code: 'E_DEVICE_RENEWAL' });
  await assert.rejects(device.updatePins(), { code: 'E_DEVICE_PIN_SET' });
  assert.deepEqual(
    events.map(({ type }) => type),
    ['renewal-failed', 'pins-failed'],
  );
  await device.close();
  const lost = connect({ bundle: { ...bundle, enrollment: undefined } });
  t.after(() => lost.close());
  await assert.rejects(lost.renewNow(), { code: 'E_DEVICE_RENEWAL' });
  await assert.rejects(lost.updatePins(), { code: 'E_DEVICE_RENEWAL' });
});

test('closing stops the upkeep', async (t) => {
  const { est, clock, device, dueInMs } = await onlineLab(t);
  await device.close();
  assert.equal(clock.timerCount, 0);
  clock.advance(dueInMs + 86_400_000);
  assert.deepEqual(est.seen, []);
});
