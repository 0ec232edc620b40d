/** Storms and floods against a whole server: who is connected stays served, who may comes back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import type { Bundle } from '@holdfast/device';
import { connectPacket, startInProcess } from '@holdfast/testkit';

/** Devices of the storm: one that connected as often would be held off. */
const STORM_COUNT = 200;
/** Devices that enroll at a time; a divisor of the storm. */
const ENROLLMENTS = 4;
/** One more than HANDSHAKE_FAILURES_MAX, and some for the time that passes. */
const FLOOD_COUNT = 120;
const CONNACK = 0x20;
const PINGREQ = Buffer.from('c000', 'hex');

function tlsOf(bundle: Bundle): ConnectionOptions {
  const { host, port } = bundle.broker;
  return {
    host,
    port,
    servername: host,
    ca: bundle.anchorPem,
    cert: bundle.certificatePem,
    key: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    minVersion: 'TLSv1.3',
  };
}

/** Connects with MQTT; gives the socket and the ticket of its session. */
async function connectMqtt(
  bundle: Bundle,
  session?: Buffer,
): Promise<{ socket: TLSSocket; ticket: Buffer | undefined }> {
  const socket = connectTls({ ...tlsOf(bundle), ...(session && { session }) });
  let ticket: Buffer | undefined;
  socket.on('session', (latest: Buffer) => (ticket = latest));
  // Who is cut off has no answer, or finds the socket destroyed: the tests look at that.
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(connectPacket(bundle));
  const answer = await new Promise<Buffer | undefined>((resolve) => {
    socket.once('data', resolve);
    socket.once('close', () => resolve(undefined));
  });
  assert.equal(answer?.[0], CONNACK);
  return { socket, ticket };
}

async function closedTcp(port: number, bytes?: string): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {});
  if (bytes !== undefined) socket.write(bytes);
  socket.resume();
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
}

test('storms and floods', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');

  await t.test('all of a storm come back, and who is connected is answered', async () => {
    const bundles: Bundle[] = [];
    while (bundles.length < STORM_COUNT) {
      const ids = Array.from({ length: ENROLLMENTS }, (_, i) => `meter-${bundles.length + i}`);
      bundles.push(...(await Promise.all(ids.map((id) => server.enroll(id)))));
    }
    const { socket: steady } = await connectMqtt(bundle);
    let answers = 0;
    steady.on('data', () => {
      answers += 1;
      steady.write(PINGREQ);
    });
    steady.write(PINGREQ);
    const before = answers;
    const storm = await Promise.all(bundles.map((one) => connectMqtt(one)));
    assert.ok(answers - before > 10, `${answers - before} answers`);
    for (const { socket } of storm) assert.ok(!socket.destroyed);
    for (const { socket } of [...storm, { socket: steady }]) socket.destroy();
  });

  await t.test('a device that reconnects resumes its TLS session', async () => {
    const first = await connectMqtt(bundle);
    assert.equal(first.socket.isSessionReused(), false);
    first.socket.destroy();
    const second = await connectMqtt(bundle, first.ticket);
    assert.equal(second.socket.isSessionReused(), true);
    second.socket.destroy();
    // OpenSSL gives no new ticket for a resumed session: the first one is good for its whole life.
    const third = await connectMqtt(bundle, first.ticket);
    assert.equal(third.socket.isSessionReused(), true);
    third.socket.destroy();
  });

  await t.test('a flood is held off at the broker, and at no other door', async () => {
    const { socket: steady } = await connectMqtt(bundle);
    await server.expectRefusal('E_WIRE_HELD_OFF', async () => {
      const { port } = bundle.broker;
      await Promise.all(Array.from({ length: FLOOD_COUNT }, () => closedTcp(port, 'nonsense')));
    });
    // What is asked for here goes through the API, from the same address.
    const refusals = await server.client.refusals({ limit: 1_000 });
    const floods = refusals.filter(({ code }) => code === 'E_WIRE_HANDSHAKE');
    assert.ok(floods.length > 0 && floods.length < FLOOD_COUNT / 2, 'they are summed up');
    steady.write(PINGREQ);
    const [answer] = (await once(steady, 'data')) as [Buffer];
    assert.equal(answer.toString('hex'), 'd000', 'who is connected stays so');
    steady.destroy();
  });
});
