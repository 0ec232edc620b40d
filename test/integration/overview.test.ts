/** The overview, the figures and the refusals of a server that runs, before and after a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CERTIFICATE_SOON_MS } from '@holdfast/protocol/api';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { RawClient, VirtualClock, signedPayload, startInProcess, waitFor } from '@holdfast/testkit';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

test('the overview tells what happened, and knows it after a restart', async (t) => {
  const clock = new VirtualClock();
  // To the beginning of a step of the figures.
  clock.advance(10_000 - (clock.nowMs() % 10_000));
  let server = await startInProcess(t, { clock });
  const bundle = await server.enroll('pump-1', 'gateway');
  const peer = await RawClient.connect(bundle);
  let sent = 0;
  const publish = async (change: (payload: string) => string = (payload) => payload) => {
    sent += 1;
    const payload = change(signedPayload(bundle, { ctr: sent, place: 'hall' }).toString('utf8'));
    peer.send(
      encodePublish('d/pump-1/telemetry', Buffer.from(payload), { qos: 1, packetId: sent }),
    );
    await peer.expect('puback');
  };
  for (let at = 0; at < 20; at += 1) await publish();
  for (let at = 0; at < 3; at += 1) await publish((payload) => payload.replace('hall', 'lab'));

  await t.test('figures, connections and refusals by code', async () => {
    clock.advance(10_000);
    const figures = await server.client.figures('hour');
    assert.equal(figures.accepted.at(-1), 2);
    assert.equal(figures.refused.at(-1), 0.3);
    assert.equal(figures.connections.at(-1), 1);
    const { fleet, traffic, refusals, troubles } = await server.client.overview();
    assert.deepEqual(fleet.byState, { active: 1 });
    assert.deepEqual([fleet.connected, fleet.neverSeen], [1, 0]);
    assert.deepEqual([traffic.acceptedPerS, traffic.refusedPerS], [2, 0.3]);
    assert.deepEqual(
      refusals?.byCode.map(({ code, count }) => [code, count]),
      [['E_VERIFY_SIG', 3]],
    );
    assert.deepEqual(
      troubles.filter(({ severity }) => severity !== 'advice'),
      [],
    );
  });

  await t.test('refusals of the device, found and counted', async () => {
    const found = await server.client.findRefusals({ device: 'pump-1', code: 'E_VERIFY_SIG' });
    assert.equal(found.refusals.length, 3);
    assert.match(found.refusals[0]?.couldMean ?? '', /changed the message on its way/u);
    const { groups, isComplete } = await server.client.refusalSummary({ by: 'device' });
    assert.ok(isComplete);
    assert.deepEqual(
      groups.map(({ key, count }) => [key, count]),
      [['pump-1', 3]],
    );
  });

  await t.test('a verification of the log, and a device in quarantine', async () => {
    await server.client.verifyLog({});
    await server.client.actOnDevice('pump-1', 'quarantine', 'it sends forged messages');
    clock.advance(5_000);
    const { log, troubles } = await server.client.overview();
    assert.ok(log?.lastVerification?.ok && log.lastVerification.by === 'local');
    assert.ok(troubles.some(({ code }) => code === 'devices-quarantined'));
  });

  await t.test('after a restart all of it is there, with a gap where nobody looked', async () => {
    const before = await server.client.overview();
    await server.stop();
    clock.advance(5 * MINUTE_MS);
    server = await server.restart({ clock });
    const { accepted } = await server.client.figures('hour');
    assert.ok(accepted.includes(2));
    assert.ok(accepted.slice(-20).every((value) => value === null));
    const { log } = await server.client.overview();
    assert.deepEqual(log?.lastVerification, before.log?.lastVerification);
  });

  await t.test('a certificate that nobody renews is told before it ends, and after', async () => {
    const certificate = (await server.client.device('pump-1')).certificates[0];
    const endsInMs = Date.parse(certificate?.notAfter ?? '') - clock.nowMs();
    clock.sleep(endsInMs - CERTIFICATE_SOON_MS + DAY_MS);
    const soon = await waitFor('a new count', async () => {
      const { certificates } = await server.client.overview();
      return certificates.ending.count === 1 && certificates;
    });
    assert.deepEqual(soon.ending.devices, ['pump-1']);
    clock.sleep(CERTIFICATE_SOON_MS);
    const { certificates, troubles } = await waitFor('the next count', async () => {
      const overview = await server.client.overview();
      return overview.certificates.ended.count === 1 && overview;
    });
    assert.deepEqual(certificates.ended, { count: 1, devices: ['pump-1'] });
    assert.ok(troubles.some(({ code }) => code === 'certificates-ended'));
    assert.ok(troubles.some(({ code }) => code === 'log-not-verified'));
  });
});
