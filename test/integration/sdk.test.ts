/** The device SDK against a real server: restarts, commands, pins, and certificates that end. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type Bundle,
  type Command,
  type Device,
  DeviceError,
  type DeviceStatus,
  connect,
} from '@holdfast/device';
import {
  RawClient,
  VirtualClock,
  connectPacket,
  enrollByOpenssl,
  startInProcess,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const DAY_MS = 86_400_000;

/** Connects by the SDK; delays of reconnects are short. */
function connectDevice(t: TestContext, bundle: Bundle): Device {
  const device = connect({ bundle, random: () => 0.02 });
  t.after(() => device.close());
  return device;
}

/** Resolves with the next error of the connection. */
function nextError(device: Device): Promise<string> {
  return new Promise((resolve) => {
    device.onStatus((status: DeviceStatus) => {
      if (status.state === 'offline') resolve(status.error.code);
    });
  });
}

function isDeviceError(error: unknown, code: string): boolean {
  return error instanceof DeviceError && error.code === code;
}

test('a restart in the middle of publishing loses nothing, and stores nothing twice', async (t) => {
  let server = await startInProcess(t);
  const device = connectDevice(t, await server.enroll('pump-1'));
  const count = 900;
  let lost = 0;
  device.onStatus(({ state }) => {
    if (state === 'offline') lost += 1;
  });
  let restarts: Promise<void> | undefined;
  let acknowledged = 0;
  const restart = async (): Promise<void> => {
    for (let n = 0; n < 2; n += 1) {
      server = await server.restart();
      const online = acknowledged;
      await waitFor('publishing to go on', () => acknowledged === count || acknowledged > online);
    }
  };
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      await device.publish({ n });
      acknowledged += 1;
      if (acknowledged === 100) restarts = restart();
    }),
  );
  await restarts;
  assert.ok(lost >= 2, 'both restarts were felt');
  const stored = await server.client.readings('pump-1', { limit: 1_000 });
  assert.deepEqual(
    stored.map(({ payload }) => (JSON.parse(payload) as { n: number }).n).toReversed(),
    Array.from({ length: count }, (_, n) => n),
  );
});

test('commands reach the handler, verified, in order, also after a restart', async (t) => {
  let server = await startInProcess(t);
  const device = connectDevice(t, await server.enroll('pump-1'));
  const heard: Command[] = [];
  const refused: unknown[] = [];
  device.onCommand((command) => {
    heard.push(command);
  });
  device.onRefused((command) => refused.push(command));
  const send = async (n: number): Promise<void> => {
    // A command for a device that is not connected yet reaches nobody, which the answer tells.
    await waitFor('the device to subscribe', async () => {
      const sent = await server.client.sendCommand('pump-1', { name: 'set', body: { n } });
      return sent.receivers === 1;
    });
  };
  await send(1);
  await send(2);
  server = await server.restart();
  await send(3);
  await waitFor('the commands', () => heard.length === 3);
  assert.deepEqual(
    heard.map(({ name, body }) => [name, body['n']]),
    [
      ['set', 1],
      ['set', 2],
      ['set', 3],
    ],
  );
  assert.deepEqual(refused, []);
});

test('the SDK talks to no server but its own', async (t) => {
  const [server, other] = [await startInProcess(t), await startInProcess(t)];
  const bundle = await server.enroll('pump-1');
  const pins = [{ spki: 'A'.repeat(43) + '=' }, { certificate: '0'.repeat(64) }];
  const impostors: [code: string, bundle: Bundle][] = [
    ['E_DEVICE_PIN', { ...bundle, pins }],
    ['E_DEVICE_SERVER', { ...bundle, broker: { ...bundle.broker, port: other.ports.broker } }],
  ];
  for (const [code, impostor] of impostors) {
    const device = connectDevice(t, impostor);
    const published = device.publish({ secret: 1 });
    assert.equal(await nextError(device), code);
    await Promise.all([
      assert.rejects(published, (error) => isDeviceError(error, 'E_DEVICE_CLOSED')),
      device.close(),
    ]);
  }
  assert.deepEqual(await server.client.readings('pump-1'), []);
});

test('an expired certificate is refused', async (t) => {
  const past = await startInProcess(t, { clock: new VirtualClock({ shiftMs: -200 * DAY_MS }) });
  const folder = temporaryFolder(t);
  const { claim } = await past.client.addDevice({ id: 'pump-1', class: 'sensor' });
  // OpenSSL lives in the present: with this certificate it gets no further than having it.
  await enrollByOpenssl(claim.text, folder);
  const out = join(folder, 'pump-1');
  const present = await past.restart();
  const file = (name: string): string => readFileSync(join(out, name), 'utf8');
  const bundle = {
    device: 'pump-1',
    broker: { host: 'localhost', port: present.ports.broker },
    anchorPem: file('ca.crt'),
    certificatePem: file('client.crt'),
    privateKey: createPrivateKey(file('client.key')),
  };
  await present.expectRefusal('E_SESSION_EXPIRED', async () => {
    const client = await RawClient.open(bundle);
    client.send(connectPacket(bundle));
    await client.closed();
    assert.equal(client.received.length, 0);
  });
});
